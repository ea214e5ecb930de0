"""Pictures with AF boxes, without photographs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


def stage(height: int = 540, width: int = 960) -> NDArray[np.uint8]:
    """A soft, even background with a gradient."""
    ramp = np.linspace(40, 90, width, dtype=np.float32)
    picture = np.repeat(ramp[None], height, axis=0)
    return np.dstack([picture * 0.8, picture, picture * 1.1]).astype(np.uint8)


@pytest.fixture
def background() -> NDArray[np.uint8]:
    return stage(1080, 1920)


@pytest.fixture
def outline() -> Callable[..., None]:
    """Draws a closed box or brackets whose outer edge is the box."""

    def draw(
        picture: NDArray[np.uint8],
        box: tuple[int, int, int, int],
        colour: tuple[int, int, int],
        line: int = 3,
        arm: float = 0.0,
    ) -> None:
        x, y, w, h = box
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.rectangle(mask, (x, y), (x + w - 1, y + h - 1), 255, -1)
        cv2.rectangle(mask, (x + line, y + line), (x + w - 1 - line, y + h - 1 - line), 0, -1)
        if arm:
            a, b = round(w * arm), round(h * arm)
            mask[y : y + h, x + a : x + w - a] = 0
            mask[y + b : y + h - b, x : x + w] = 0
        picture[mask > 0] = colour

    return draw
