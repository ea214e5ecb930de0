"""What a classifier learns from, and the frame in which its methods see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import Head, unit
from .model import Embeddings


@dataclass(frozen=True)
class TrainingSet:
    """Embeddings (N x D float32) with the number of each one's person and photograph.

    Photographs are numbered through; changed copies of one have its number and are not ``original``. ``background``
    are faces of nobody in particular (M x D).
    """

    rows: Embeddings
    owners: NDArray[np.int64]
    photos: NDArray[np.int64]
    original: NDArray[np.bool_]
    background: Embeddings

    def part(self, chosen: NDArray[np.bool_]) -> TrainingSet:
        """The chosen rows; people are numbered again, in the same order."""
        owners = np.unique(self.owners[chosen], return_inverse=True)[1]
        return TrainingSet(self.rows[chosen], owners, self.photos[chosen], self.original[chosen], self.background)

    @property
    def people(self) -> int:
        return int(self.owners.max(initial=-1)) + 1


class Frame:
    """Embeddings seen from the middle of the people, at a mean length of one: where the methods work."""

    def __init__(self, data: TrainingSet) -> None:
        rows = unit(data.rows)
        counts = np.bincount(data.owners, minlength=data.people)
        total = np.zeros((data.people, rows.shape[1]))
        np.add.at(total, data.owners, rows)
        self.center: NDArray[np.float64] = (total / counts[:, None]).mean(0)
        self.scale = 1 / max(float(np.linalg.norm(rows - self.center, axis=1).mean()), 1e-6)

    def inside(self, rows: Embeddings) -> Embeddings:
        """Embeddings as the methods see them."""
        return np.asarray((unit(rows) - self.center) * self.scale, np.float32)

    def outside(self, method: str, weights: NDArray[Any], bias: NDArray[Any]) -> Head:
        """What a method has learnt, for embeddings of length one."""
        scaled = weights * self.scale
        return Head(method, scaled.astype(np.float32), (bias - scaled @ self.center).astype(np.float32))
