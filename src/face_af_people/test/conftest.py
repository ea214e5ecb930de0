"""Photographs of made-up people."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, photo


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Four photos each of five people."""
    for name in list(HUES)[:5]:
        for number, light in enumerate((120, 160, 200, 240)):
            photo(tmp_path / "people" / name / f"{number}.png", (name, 180), light=light)
    return tmp_path / "people"
