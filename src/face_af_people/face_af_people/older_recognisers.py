"""Recognisers of before deep networks: LBPH, Eigenfaces and Fisherfaces, on aligned faces in gray.

Eigenfaces (Turk and Pentland, 1991) and Fisherfaces (Belhumeur, 1997) are fitted on the enrolled photographs of each
round; LBPH (Ahonen, 2004) needs no fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_perception.alignment import ARCFACE, ARCFACE_SIZE, Picture, aligned

Rows = NDArray[np.float32]
Enrolled = Sequence[tuple[str, int]]
"""Names, and the numbers of the rows that are enrolled."""

SIDE = 64
_GRID = 8


def gray_face(picture: Picture, landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The aligned face, 64 x 64 in gray, its light made even."""
    chip = aligned(picture, landmarks, ARCFACE, ARCFACE_SIZE)
    gray = cv2.cvtColor(cv2.resize(chip, (SIDE, SIDE)), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.equalizeHist(gray), np.uint8)


def lbp_histograms(gray: NDArray[np.uint8]) -> Rows:
    """Histograms of local binary patterns (radius 1, eight neighbours) in 8 x 8 cells, square roots, one vector."""
    center = gray[1:-1, 1:-1]
    code = np.zeros(center.shape, np.uint8)
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for bit, (y, x) in enumerate(around):
        neighbour = gray[y : y + center.shape[0], x : x + center.shape[1]]
        code |= (neighbour >= center).astype(np.uint8) << np.uint8(bit)
    cells = [cell for band in np.array_split(code, _GRID) for cell in np.array_split(band, _GRID, 1)]
    counts = np.stack([np.bincount(cell.ravel(), minlength=256) / cell.size for cell in cells])
    return np.asarray(np.sqrt(counts).ravel(), np.float32)


def flat(gray: NDArray[np.uint8]) -> Rows:
    """The pixels in a row, 0 to 1."""
    return np.asarray(gray.ravel() / 255, np.float32)


def as_they_are(rows: Rows, enrolled: Enrolled) -> Rows:
    return rows


def eigenfaces(rows: Rows, enrolled: Enrolled) -> Rows:
    """All rows in the up to 50 directions in which the enrolled ones vary most."""
    from sklearn.decomposition import PCA

    taken = rows[[index for _, index in enrolled]]
    return np.asarray(PCA(min(50, len(taken) - 1), random_state=0).fit(taken).transform(rows), np.float32)


def fisherfaces(rows: Rows, enrolled: Enrolled) -> Rows:
    """All rows in the directions that part the enrolled people best.

    Without two photographs of a person there is no scatter within a person: eigenfaces then.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    owners = [name for name, _ in enrolled]
    reduced = eigenfaces(rows, enrolled)
    if len(set(owners)) == len(owners) or len(set(owners)) < 2:
        return reduced
    inner = reduced[:, : max(1, len(owners) - len(set(owners)))]
    fitted = LinearDiscriminantAnalysis().fit(inner[[index for _, index in enrolled]], owners)
    return np.asarray(fitted.transform(inner), np.float32)


ROWS: Mapping[str, Callable[[NDArray[np.uint8]], Rows]] = {
    "LBPH": lbp_histograms,
    "Eigenfaces": flat,
    "Fisherfaces": flat,
}
"""What is looked at of a :func:`gray_face`, by method."""
FITTED: Mapping[str, Callable[[Rows, Enrolled], Rows]] = {
    "LBPH": as_they_are,
    "Eigenfaces": eigenfaces,
    "Fisherfaces": fisherfaces,
}
"""Rows to compare by their distance, made for who is enrolled."""
