from setuptools import find_packages, setup

PACKAGE = "nikon_mcn10_driver"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
        ("share/" + PACKAGE + "/udev", ["udev/70-face-af-nikon.rules"]),
    ],
    install_requires=["setuptools"],
    # colcon test runs pytest where a package asks for it
    extras_require={"test": ["pytest"]},
    zip_safe=True,
    maintainer="face_af developers",
    maintainer_email="face_af@example.com",
    description="Presses the buttons of an emulated Nikon MC-N10 remote grip over PTP (USB or PTP/IP).",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "nikon_mcn10 = face_af_common.executables:nikon_mcn10",
            "decode_transfers = face_af_common.tools:decode_transfers",
            "learn_profile = face_af_common.tools:learn_profile",
            "profiles = face_af_common.tools:profiles",
            "camera_report = face_af_common.tools:camera_report",
        ]
    },
)
