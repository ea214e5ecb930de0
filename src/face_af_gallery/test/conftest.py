"""People who are patches of one colour, and a model that knows them by it. No weights needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.calibration import PublishedScale

sys.path.insert(0, str(Path(__file__).parent))
from made_up_people import SingleModel

COLOURS = {"anna": (200, 30, 30), "bert": (30, 200, 30), "cleo": (30, 30, 200)}
LANDMARKS = np.array([[100, 110], [156, 110], [128, 140], [105, 170], [151, 170]], np.float32)


class ColourModel(SingleModel):
    """Embeds a face by the colour between its landmarks: the same colour is the same direction."""

    dimension = 32
    threshold, strangers = 0.4, 0.0

    def __init__(self, model_id: str = "colours:1") -> None:
        self.model_id = model_id
        self._basis = np.random.default_rng(3).standard_normal((len(COLOURS), self.dimension))

    lead, upper = 0.0, None
    scale = PublishedScale(strangers, threshold)

    def embed(self, bgr: np.ndarray, landmarks: Sequence[np.ndarray], flip: bool = False) -> np.ndarray:
        centers = [points.mean(0).astype(int) for points in landmarks]
        seen = np.array([bgr[y - 8 : y + 8, x - 8 : x + 8].mean((0, 1)) for x, y in centers])
        distance = np.linalg.norm(seen[:, None] - np.array(list(COLOURS.values()))[None], axis=2)
        rows = np.exp(-(distance**2) / 4000) @ self._basis
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def embedder() -> ColourModel:
    return ColourModel()


@pytest.fixture
def other_embedder() -> ColourModel:
    """Another model with the same weights: its embeddings must not be mixed with the first one's."""
    return ColourModel("other:1")


@pytest.fixture
def portrait() -> Callable[[str], tuple[np.ndarray, np.ndarray]]:
    """A function that draws somebody as a chip: (256 x 256 image, landmarks)."""

    def draw(name: str) -> tuple[np.ndarray, np.ndarray]:
        image = np.full((256, 256, 3), 90, np.uint8)
        image[60:200, 70:190] = COLOURS[name]
        return image, LANDMARKS.copy()

    return draw
