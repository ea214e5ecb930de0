"""What several tests share: drawn people for the stage, a virtual camera on either transport."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_common.types import Box
from face_af_sim.people import Figures

sys.path.insert(0, str(Path(__file__).parent))
from virtual_z8_rig import Rig, until


def _figure(name: str, colour: tuple[int, int, int]) -> Figures:
    picture = np.zeros((900, 300, 4), np.uint8)
    cv2.rectangle(picture, (20, 190), (280, 900), (60, 50, 40, 255), -1)
    cv2.ellipse(picture, (150, 100), (62, 85), 0, 0, 360, (*colour, 255), -1, cv2.LINE_AA)
    back = picture.copy()
    cv2.ellipse(back, (150, 100), (62, 85), 0, 0, 360, (20, 20, 20, 255), -1, cv2.LINE_AA)
    return Figures(name, picture, back, Box(92, 20, 116, 160))


@pytest.fixture(scope="session")
def company() -> list[Figures]:
    return [
        _figure(name, (90 + 20 * i, 140, 230 - 30 * i))
        for i, name in enumerate(("anna", "bert", "cleo", "dora", "emil"))
    ]


@pytest.fixture(params=["ptpip", "usb"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    threads = threading.active_count()
    rig = Rig(request.param)
    yield rig
    rig.close()
    until(lambda: threading.active_count() == threads)
