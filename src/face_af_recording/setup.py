from setuptools import find_packages, setup

PACKAGE = "face_af_recording"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    # colcon test runs pytest where a package asks for it
    extras_require={"test": ["pytest"]},
    zip_safe=True,
    maintainer="face_af developers",
    maintainer_email="face_af@example.com",
    description="Records the graph as a rosbag2 bag, replays it, tunes parameters on it, repairs bags.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "recorder = face_af_common.executables:recorder",
            "repair_bag = face_af_common.tools:repair_bag",
            "replay = face_af_common.tools:replay",
            "replay_player = face_af_common.executables:replay_player",
            "tune = face_af_common.tools:tune",
        ]
    },
)
