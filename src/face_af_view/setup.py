from setuptools import find_packages, setup

PACKAGE = "face_af_view"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["web/*", "web/texts/*"]},
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
    description="The annotated frame, and the page for phones: faces, AF boxes and what steering does.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "debug_view = face_af_common.executables:debug_view",
            "page = face_af_common.executables:page",
        ]
    },
)
