from setuptools import find_packages, setup

PACKAGE = "face_af_sim"

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
    description="A simulated stage and a virtual Nikon Z8 that close the loop without hardware.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "stage = face_af_common.executables:stage",
            "virtual_z8 = face_af_common.tools:virtual_z8",
            "fetch_samples = face_af_common.tools:fetch_samples",
            "prepare_stage = face_af_common.tools:prepare_stage",
        ]
    },
)
