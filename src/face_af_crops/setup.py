from setuptools import find_packages, setup

PACKAGE = "face_af_crops"

setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(exclude=["test"]),
    package_data={PACKAGE: ["page.html", "adjust.html"]},
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
    description="Clean data sets of one person, or a few, from hours of video: well-framed crops, no near-duplicates.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "adjust = face_af_common.tools:adjust_crops",
            "crops = face_af_common.tools:crops",
            "curate = face_af_common.tools:curate",
        ]
    },
)
