"""Changed copies of a gallery's photographs, for training only: mirrored, in other light, a little turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import Chip, Embeddings, Sample

TURN_DEG = 8.0
LIGHT = (-25.0, 25.0)
CONTRAST = (0.7, 1.3)
_MIRRORED = [1, 0, 2, 4, 3]
"""Left and right change places among the five landmarks."""


def changed(chip: Chip, rng: np.random.Generator) -> Chip:
    """A copy of ``chip`` in other light and contrast, turned a little, and, every second one, mirrored.

    It is turned by its landmarks: whoever aligns by them sees the face turned.
    """
    from face_af_gallery.model import Chip

    picture = cv2.convertScaleAbs(chip.picture, alpha=rng.uniform(*CONTRAST), beta=rng.uniform(*LIGHT))
    landmarks = chip.landmarks
    if rng.random() < 0.5:
        picture = cv2.flip(picture, 1)
        landmarks = (np.array([picture.shape[1] - 1, 0]) + landmarks * (-1, 1))[_MIRRORED]
    angle = np.deg2rad(rng.uniform(-TURN_DEG, TURN_DEG))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    center = landmarks.mean(0)
    return Chip(np.asarray(picture, np.uint8), np.asarray((landmarks - center) @ turn.T + center, np.float32))


def copies(gallery: Gallery, samples: Sequence[Sample], count: int, seed: int) -> tuple[Embeddings, NDArray[np.int64]]:
    """Embeddings of ``count`` changed copies of each sample, and the sample's number for each.

    A sample whose chip is missing has none.
    """
    from tqdm import tqdm

    rng = np.random.default_rng(seed)
    rows, numbers = [], []
    for number, sample in enumerate(tqdm(samples, unit="photo", desc="changing copies", disable=None, leave=False)):
        chip = gallery.chip(sample)
        for _ in range(count if chip is not None else 0):
            assert chip is not None
            copy = changed(chip, rng)
            rows.append(gallery.embedder.embed(copy.picture, [copy.landmarks])[0])
            numbers.append(number)
    found = np.array(rows, np.float32).reshape(len(rows), gallery.embedder.dimension)
    return found, np.array(numbers, np.int64)
