"""Whether a face wears a mask over mouth and nose, told from its aligned chip.

Logistic regression on the edges of a chip (histograms of gradients) and on its colours (Lab, 16 x 16 pixels): a mask
has no mouth below its edge, whatever its colour. ``masks.npz`` holds its 2,533 numbers, fitted by ``./run bench
mask_fit`` on photographs that are no part of the project (docs/masks.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.model import Points

from .alignment import ARCFACE, ARCFACE_SIZE, Picture, similarity_transform, warp

CLASSIFIER = Path(__file__).with_name("masks.npz")

SIDE = 16
_EDGES = cv2.HOGDescriptor((ARCFACE_SIZE, ARCFACE_SIZE), (28, 28), (14, 14), (14, 14), 9)
EDGES_SHARE = 0.5
"""How large edges are beside colours, for the regression's penalty."""
SURE = 0.3
"""Probability from which on a face counts as masked. It decides about no name alone."""

MARGIN = 0.2
"""Lead over the second best person that an upper half needs for a name; rather none than a wrong one."""

CLEAR = 0.2
"""Quality, 0 to 1, below which an upper half gets no name."""

FACE_SHARE = 0.45
"""Where a mask begins on most faces: this share of the way from the eyes down to the mouth (row 70 of 112)."""


def covered_from(template: Points) -> int:
    """The row of an aligned chip from which on a mask may cover the face."""
    eyes, mouth = template[:2, 1].mean(), template[3:, 1].mean()
    return round(float(eyes + FACE_SHARE * (mouth - eyes)))


def features(chips: Sequence[Picture], template: Points) -> NDArray[np.float32]:
    """N x 2532: what is looked at of chips (BGR) whose landmarks lie on ``template``."""
    matrix = similarity_transform(template, ARCFACE)
    rows = []
    for chip in chips:
        if abs(matrix[0, 0] - 1) > 1e-3 or np.abs(matrix[:, 2]).max() > 0.1:
            chip = warp(chip, matrix, ARCFACE_SIZE, ARCFACE_SIZE)
        edges = np.asarray(_EDGES.compute(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)), np.float32).ravel()
        small = cv2.resize(chip, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        colours = cv2.cvtColor(small, cv2.COLOR_BGR2Lab).ravel() / np.float32(255)
        rows.append(np.concatenate([edges * EDGES_SHARE, colours]))
    return np.array(rows, np.float32).reshape(len(rows), -1)


def masked(chips: Sequence[Picture], template: Points) -> list[bool]:
    """For each chip whether the face wears a mask."""
    if not chips:
        return []
    coefficients, intercept = _classifier()
    odds = features(chips, template) @ coefficients + intercept
    return [bool(value) for value in odds >= np.log(SURE / (1 - SURE))]


@lru_cache(maxsize=1)
def _classifier() -> tuple[NDArray[np.float32], float]:
    with np.load(CLASSIFIER, allow_pickle=False) as data:
        return np.asarray(data["coefficients"], np.float32), float(data["intercept"])
