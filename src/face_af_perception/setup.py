from setuptools import find_packages, setup

PACKAGE = "face_af_perception"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["masks.npz", "unmasking.npz"]},
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
    description="Finds, follows and recognises faces.",
    license="Apache-2.0",
    entry_points={"console_scripts": ["perception = face_af_common.executables:perception"]},
)
