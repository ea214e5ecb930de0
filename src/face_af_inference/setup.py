from setuptools import find_packages, setup

PACKAGE = "face_af_inference"

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
    description="Library: the model manifest, runtimes (TensorRT, ONNX Runtime), the engine cache, fetching weights.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "build_engines = face_af_common.tools:build_engines",
            "fetch_models = face_af_common.tools:fetch_models",
        ]
    },
)
