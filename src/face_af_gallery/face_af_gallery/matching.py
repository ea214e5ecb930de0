"""How alike two embeddings are, and which person of a gallery is nearest.

Whatever the model, the similarity of two embeddings is ``1 - d^2 / 2`` with their Euclidean distance d. For
vectors of length one that is the cosine; dlib's, which are compared by distance, keep their exact order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .model import Embeddings, Sample

LARGE = 1_500_000
"""Numbers in a gallery from which on it is searched in two steps: coarsely in all of it, then exactly in the best."""
COARSE = 96
"""Dimensions of the coarse search."""
EXACT = 64
"""Rows that are compared exactly after it, about."""
_STRIDE = 8


def similarity(a: Embeddings, b: Embeddings) -> NDArray[np.float32]:
    """N x M similarities of the rows of ``a`` and ``b``; at most 1, higher is more alike."""
    half_a, half_b = (a * a).sum(1) / 2, (b * b).sum(1) / 2
    return np.asarray(1 + a @ b.T - half_a[:, None] - half_b[None, :], np.float32)


def mean_embedding(stack: NDArray[np.float32], weights: Sequence[float] | None = None) -> Embeddings:
    """Weighted mean over the first axis of K x N x D, each row scaled to the mean length of what went into it."""
    w = np.full(len(stack), 1 / len(stack)) if weights is None else np.asarray(weights, np.float64) / np.sum(weights)
    mean = np.tensordot(w, stack, 1)
    length = np.tensordot(w, np.linalg.norm(stack, axis=-1), 1)
    return np.asarray(mean * (length / np.maximum(np.linalg.norm(mean, axis=-1), 1e-9))[..., None], np.float32)


@dataclass(frozen=True)
class Lead:
    """A ``share`` of the lead over the second best person, added to the similarities to a gallery's people.

    Who is alone in looking like a face is likelier right than one of several. Where there is no second person, or one
    who is very unlike, ``least`` counts as second. At most 1 comes out for at most 1.
    """

    share: float = 0.0
    least: float = 0.0

    def added(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """For N x P similarities; a person who is not the best has a negative lead."""
        if not self.share or not scores.size:
            return scores
        rows = np.arange(len(scores))
        best = scores.argmax(1)
        top = scores[rows, best]
        scores[rows, best] = self.least
        second = scores.max(1)
        unit = 1 / (1 + self.share * (1 - self.least))
        # everybody but the best person has the best one as rival
        led = scores * np.float32((1 + self.share) * unit)
        led -= (self.share * unit * np.maximum(top, self.least))[:, None]
        led[rows, best] = ((1 + self.share) * top - self.share * np.maximum(second, self.least)) * unit
        scores[rows, best] = top
        return led


class Index:
    """The samples as matrices, grouped by person.

    ``lead``: how much the lead over the second best person counts. ``masked_less``: see
    :class:`~.model.EmbeddingModel`.
    """

    def __init__(
        self,
        samples: Iterable[Sample],
        embeddings: dict[str, NDArray[np.float32]],
        dimension: int,
        lead: Lead | None = None,
        masked_less: float = 0.0,
    ) -> None:
        self.lead = lead or Lead()
        samples = list(samples)
        positive = [s for s in samples if not s.negative]
        self.size = len(positive)
        self.names = sorted({s.identity for s in positive})
        self.place = {name: i for i, name in enumerate(self.names)}
        negative = [s for s in samples if s.negative and s.identity in self.place]
        self._positive, self._negative = (
            _Group(
                [(self.place[s.identity], embeddings[s.id], masked_less if s.masked else 0.0) for s in group], dimension
            )
            for group in (positive, negative)
        )

    def scores(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """N x P similarities to the nearest sample of each person, with the lead over the second best added."""
        return self.lead.added(self.nearest(embeddings))

    def nearest(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """The same without the lead."""
        result = np.full((len(embeddings), len(self.names)), -1.0, np.float32)
        if not result.size:
            return result
        self._positive.best(embeddings, result)
        if self._negative.owners.size:
            against = np.full_like(result, -1.0)
            self._negative.best(embeddings, against)
            result = np.where(against >= result, np.minimum(result - against, 0), result)
        return result


class _Group:
    """Rows with owners. Of a large gallery only the rows that look nearest in few dimensions are compared in full.

    ``rows``: owner, embedding, and what is taken off the similarity to it.
    """

    def __init__(self, rows: list[tuple[int, NDArray[np.float32], float]], dimension: int) -> None:
        rows.sort(key=lambda row: row[0])
        owners = np.array([owner for owner, _, _ in rows], np.int64)
        self._matrix = np.array([row for _, row, _ in rows], np.float32).reshape(len(rows), dimension)
        self.owners, self._starts = np.unique(owners, return_index=True)
        half = (self._matrix * self._matrix).sum(1) / 2 - 1 + np.array([less for _, _, less in rows], np.float32)
        self._axes: NDArray[np.float32] | None = None
        columns = self._matrix.T
        if self._matrix.size > LARGE and dimension > COARSE:
            # the directions in which the gallery varies most
            _, axes = np.linalg.eigh((columns @ self._matrix).astype(np.float64))
            self._axes = np.ascontiguousarray(axes[:, -COARSE:], np.float32)
            columns = self._axes.T @ columns
        # the last row takes half the squared length, and what is to be taken off, in the same product
        self._columns = np.ascontiguousarray(np.vstack([columns, -half]), np.float32)

    def best(self, embeddings: Embeddings, out: NDArray[np.float32]) -> None:
        """Writes the similarity of each embedding to the nearest row of each owner into ``out`` (N x P)."""
        seen = embeddings if self._axes is None else embeddings @ self._axes
        near = np.hstack([seen, np.ones((len(seen), 1), np.float32)]) @ self._columns
        if self._axes is not None:
            for row, embedding in zip(near, embeddings, strict=True):
                nearest = np.flatnonzero(row >= _nearly_the_best(row))
                row[nearest] = self._matrix[nearest] @ embedding + self._columns[-1, nearest]
        near -= (embeddings * embeddings).sum(1)[:, None] / 2
        if len(self.owners) != near.shape[1]:
            near = np.maximum.reduceat(near, self._starts, axis=1)
        if len(self.owners) == out.shape[1]:
            out[:] = near
        else:
            out[:, self.owners] = near


def _nearly_the_best(values: NDArray[np.float32]) -> np.float32:
    """A bound that the best values reach, about :data:`EXACT` of them; told from a sample, as sorting takes longer."""
    sample = values[::_STRIDE]
    place = len(sample) - max(1, EXACT // _STRIDE)
    return np.float32(np.partition(sample, place)[place])
