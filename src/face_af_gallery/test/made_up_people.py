"""Made-up people to train on: directions in space, with noise for other photographs; what every made-up model has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from face_af_gallery.training_set import TrainingSet


def people(counts: Sequence[int], noise: float = 0.9, seed: int = 0, size: int = 64) -> TrainingSet:
    """As many photographs of each person as ``counts`` says."""
    rng = np.random.default_rng(seed)
    middle = rng.standard_normal((len(counts), size))
    rows = [middle[i] + noise * rng.standard_normal((count, size)) for i, count in enumerate(counts)]
    owners = np.repeat(np.arange(len(counts)), counts)
    count = np.arange(len(owners))
    unit = np.concatenate(rows).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return TrainingSet(unit, owners, count, np.ones(len(count), bool), unit[:0])


def parted(data: TrainingSet, counts: Sequence[int]) -> tuple[TrainingSet, np.ndarray, np.ndarray]:
    """The first ``counts`` of each person's photographs to train on, and all others with their owners."""
    taken = np.zeros(len(data.rows), bool)
    for person, count in enumerate(counts):
        taken[np.flatnonzero(data.owners == person)[:count]] = True
    return data.part(taken), data.rows[~taken], data.owners[~taken]


class SingleModel:
    """What a model has that is no ensemble."""

    threshold: float
    masked_less = margin = 0.0

    @property
    def members(self) -> tuple[SingleModel]:
        return (self,)

    def joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return parts[0]

    def parts(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows]

    upper: SingleModel | None

    def embed_upper(
        self, bgr: np.ndarray, landmarks: Sequence[np.ndarray], rows: np.ndarray, flip: bool = False
    ) -> np.ndarray:
        assert self.upper is not None
        return self.upper.embed(bgr, landmarks, flip)  # type: ignore[attr-defined, no-any-return]

    def unmasked(self, rows: np.ndarray) -> np.ndarray:
        return rows

    def above(self, fraction: float) -> float:
        return self.threshold * (1 + fraction)
