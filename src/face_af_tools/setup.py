from setuptools import find_packages, setup

PACKAGE = "face_af_tools"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    zip_safe=True,
    maintainer="face_af developers",
    maintainer_email="face_af@example.com",
    description="Offline tools: enrol, identify, evaluate, the demo and its report.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "enrol = face_af_tools.enrol:main",
            "identify = face_af_tools.identify:main",
            "evaluate = face_af_tools.evaluate:main",
            "parameters = face_af_tools.parameters:main",
            "recorder = face_af_common.executables:recorder",
            "repair_bag = face_af_tools.repair_bag:main",
            "replay = face_af_tools.replay:main",
            "replay_player = face_af_common.executables:replay_player",
            "tune = face_af_tools.tune:main",
            "doctor = face_af_tools.doctor:main",
            "health = face_af_common.executables:health",
        ]
    },
)
