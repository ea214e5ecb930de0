"""Photographs of made-up people, and tools that know them without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from face_af_people import enrol, evaluate, identify

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, analyser, photo


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (enrol, identify, evaluate):
        monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Four photos each of five people."""
    for name in list(HUES)[:5]:
        for number, light in enumerate((120, 160, 200, 240)):
            photo(tmp_path / "people" / name / f"{number}.png", (name, 180), light=light)
    return tmp_path / "people"
