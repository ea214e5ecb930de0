"""Writes the version of the file VERSION into every package: ``./run python tools/set_version.py``."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
_PLACES = (
    ("src/*/package.xml", r"(<version>)[^<]*(</version>)"),
    ("src/*/setup.py", r'(\bversion=")[^"]*(")'),
    ("tools/ros2_pip/pyproject.toml", r'(\nversion = ")[^"]*(")'),
)


def outdated(top: Path = TOP) -> dict[Path, str]:
    """The files that have another version, with the text that they should have."""
    version = (top / "VERSION").read_text(encoding="utf-8").strip()
    found = {}
    for pattern, place in _PLACES:
        for path in sorted(top.glob(pattern)):
            text = path.read_text(encoding="utf-8")
            right = re.sub(place, rf"\g<1>{version}\g<2>", text, count=1)
            if right != text:
                found[path] = right
    return found


if __name__ == "__main__":
    for path, text in outdated().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(TOP))
