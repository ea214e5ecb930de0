from setuptools import find_packages, setup

PACKAGE = "face_af_outputs"

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
    description="Tells the house what happens in front of the camera: MQTT, GPIO, HTTP, commands, shutter.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "outputs = face_af_common.executables:outputs",
            "test = face_af_common.tools:test_action",
        ]
    },
)
