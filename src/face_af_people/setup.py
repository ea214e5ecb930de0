from setuptools import find_packages, setup

PACKAGE = "face_af_people"

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
    description="Tools for the gallery of known people: enrol, identify on photographs, evaluate the recognition.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "enrol = face_af_common.tools:enrol",
            "identify = face_af_common.tools:identify",
            "evaluate = face_af_common.tools:evaluate",
            "extract = face_af_common.tools:extract",
            "map = face_af_common.tools:map",
            "people = face_af_common.tools:people",
            "train = face_af_common.tools:train",
        ]
    },
)
