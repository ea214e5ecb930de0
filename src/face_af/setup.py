from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "face_af"


def shared(folder: str) -> list[tuple[str, list[str]]]:
    """``data_files`` for one of the links to launch/, config/ and models/, which lie where people look for them."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return [(f"share/{PACKAGE}/{path.parent}", [str(path)]) for path in files]


setup(
    name=PACKAGE,
    version="0.2.0",
    packages=find_packages(include=[PACKAGE]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/" + PACKAGE]),
        ("share/" + PACKAGE, ["package.xml"]),
        *shared("launch"),
        *shared("config"),
        *shared("models"),
    ],
    install_requires=["setuptools"],
    # colcon test runs pytest where a package asks for it
    extras_require={"test": ["pytest"]},
    zip_safe=True,
    maintainer="face_af developers",
    maintainer_email="face_af@example.com",
    description="Brings up the face_af node graph: launch files, configuration, the model manifest, doctor and health.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "doctor = face_af_common.tools:doctor",
            "health = face_af_common.executables:health",
            "parameters = face_af_common.tools:parameters",
        ]
    },
)
