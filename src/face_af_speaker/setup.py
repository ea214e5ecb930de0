from setuptools import find_packages, setup

PACKAGE = "face_af_speaker"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["data/*.npy"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
    ],
    install_requires=["setuptools"],
    # colcon test runs pytest where a package asks for it
    extras_require={"test": ["pytest"]},
    zip_safe=False,
    maintainer="face_af developers",
    maintainer_email="face_af@example.com",
    description="Knows people by their voices: who speaks or sings, from a microphone, a recording or a video.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "speaker = face_af_common.executables:speaker",
            "enrol = face_af_common.tools:enrol_voice",
            "identify = face_af_common.tools:identify_voice",
            "evaluate = face_af_common.tools:evaluate_voice",
            "measure_offset = face_af_common.tools:measure_offset",
            "list_devices = face_af_common.tools:list_sound_devices",
        ]
    },
)
