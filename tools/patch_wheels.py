"""Make the ROS wheels' CMake files name this Python: they name the machine that built the wheels.

Run with the virtual environment's interpreter after installing the wheels.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

_INCLUDE = re.compile(r"/opt/python/[^/]+/include/python[0-9.]+")
_PACKAGES = re.compile(r"/opt/python/[^/]+/lib/python[0-9.]+/site-packages")


def main() -> None:
    paths = sysconfig.get_paths()
    for path in Path(sys.prefix, "share").rglob("*.cmake"):
        text = path.read_text(encoding="utf-8")
        patched = _PACKAGES.sub(paths["purelib"], _INCLUDE.sub(paths["include"], text))
        if patched != text:
            path.write_text(patched, encoding="utf-8")


if __name__ == "__main__":
    main()
