"""Make the CMake files of the ROS wheels name this Python and its NumPy: they name those of who built the wheels.

Run with the interpreter into which the wheels were installed.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

# an absolute path, whosever it is: uv's cache may hold what an older version of this file has patched
_START = r'(?<=[";\s])/[^";\s]*'
_INCLUDE = re.compile(_START + r"/include/python3\.\d+(?![\w.])")
_NUMPY = re.compile(_START + r"/site-packages/numpy/_?core/include")
_PACKAGES = re.compile(_START + r"/lib/python3\.\d+/site-packages")


def patched(text: str) -> str:
    """A CMake file's text with the paths of this interpreter."""
    paths = sysconfig.get_paths()
    text = _INCLUDE.sub(paths["include"], text)
    text = _NUMPY.sub(np.get_include(), text)
    return _PACKAGES.sub(paths["purelib"], text)


def main() -> None:
    for path in Path(sys.prefix, "share").rglob("*.cmake"):
        text = path.read_text(encoding="utf-8")
        new = patched(text)
        if new != text:
            # a new file: uv installs hard links to its cache, which other environments share
            path.unlink()
            path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
