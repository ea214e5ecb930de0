"""What a whole face is like, guessed from what a mask leaves of it.

Ridge regression from the embeddings of a masked face, of its upper half and of the whole by each member of an ensemble,
to those of the same face without the mask: the "embedding unmasking" of Boutros et al. (arXiv 2103.01716), linear.
``unmasking.npz`` holds it for one ensemble, fitted by ``./run bench unmask_fit`` on photographs that are no part of the
project (docs/masks.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_af_gallery.model import Embeddings

FITTED = Path(__file__).with_name("unmasking.npz")


@dataclass(frozen=True)
class Unmasking:
    """``models``: the ensemble's members by ``model_id``, ``sizes``: the numbers of their embeddings, D together;
    ``weights``: 2D x D, ``bias``: D; the upper halves' rows come first."""

    models: tuple[str, ...]
    sizes: tuple[int, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def whole(self, halves: Sequence[Embeddings], wholes: Sequence[Embeddings]) -> list[Embeddings]:
        """Each member's N x d embeddings of the faces without their masks, from those of their upper halves and of
        the masked faces; of free length."""
        rows = np.concatenate([*halves, *wholes], 1) @ self.weights + self.bias
        return np.split(rows, np.cumsum(self.sizes)[:-1], axis=1)

    def ordered(self, models: Sequence[str]) -> Unmasking:
        """The same for the members in another order."""
        places = np.split(np.arange(sum(self.sizes)), np.cumsum(self.sizes)[:-1])
        order = [self.models.index(name) for name in models]
        of = np.concatenate([places[i] for i in order])
        weights = self.weights[np.concatenate([of, of + len(of)])][:, of]
        return Unmasking(tuple(models), tuple(self.sizes[i] for i in order), weights, self.bias[of])

    def save(self, path: Path = FITTED) -> None:
        """Writes it, weights in half precision."""
        weights = self.weights.astype(np.float16)
        np.savez(path, models=np.array(self.models), sizes=self.sizes, weights=weights, bias=self.bias)


def fit(masked: NDArray[np.float32], bare: NDArray[np.float32], sizes: Mapping[str, int], ridge: float) -> Unmasking:
    """``masked``: N x 2D rows of masked faces, ``bare``: N x D of the same faces without masks; ``sizes`` by
    ``model_id``; ``ridge``: penalty, in units of the masked rows' mean variance."""
    middle, target = masked.mean(0, dtype=np.float64), bare.mean(0, dtype=np.float64)
    x, y = masked - middle, bare - target
    penalty = ridge * len(x) * float((x * x).mean())
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    bias = np.asarray(target - middle @ weights, np.float32)
    return Unmasking(tuple(sizes), tuple(sizes.values()), np.asarray(weights, np.float32), bias)


@lru_cache(maxsize=1)
def fitted() -> Unmasking:
    """The one that comes with the project."""
    with np.load(FITTED, allow_pickle=False) as data:
        return Unmasking(
            tuple(str(name) for name in data["models"]),
            tuple(int(size) for size in data["sizes"]),
            np.asarray(data["weights"], np.float32),
            np.asarray(data["bias"], np.float32),
        )


def unmasking_for(models: Sequence[str]) -> Unmasking | None:
    """The fitted one, where it is for these members."""
    known = fitted()
    return known.ordered(models) if sorted(known.models) == sorted(models) else None
