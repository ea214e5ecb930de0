"""A classifier that was trained on a gallery's people: arrays, and the similarities that they give.

Every method is a matrix and a bias on embeddings of length one. Its raw scores are brought to the scale of the
gallery's similarities by two levels that cross-validation has set: what strangers usually get, and the threshold.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .model import Embeddings, GalleryError, Sample

FORMAT = 1
NEAREST = "nearest"
PAIRS = "svm-pairs"
METHODS = (NEAREST, "mean", "svm", "logistic")
"""Those of which cross-validation chooses."""
BASELINES = (PAIRS, "softmax")
"""Older systems' methods, used only where they are asked for."""

GUARD = 0.15
"""A face that no sample resembles gets no name, whatever a classifier says: so far below the gallery's threshold the
nearest sample may be, as a share of the threshold's distance from strangers."""


@dataclass(frozen=True)
class Head:
    """What a method has learnt of P people: ``weights`` K x D and ``bias`` K, float32.

    K is P, or P (P - 1) / 2 with :data:`PAIRS`, in the order (0, 1), (0, 2) … (1, 2) …: above 0 for the first.
    """

    method: str
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def raw(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """N x P scores of N embeddings (N x D); higher is more alike, on a scale of the method's own."""
        found = unit(embeddings) @ self.weights.T + self.bias
        return found if self.method != PAIRS else _votes(found)


def unit(rows: Embeddings) -> Embeddings:
    """The rows at length one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def _votes(decisions: NDArray[np.float32]) -> NDArray[np.float32]:
    """From N x P(P-1)/2 decisions each person's mean decision; below 0 for whom fewer than half of them vote."""
    people = int((1 + (1 + 8 * decisions.shape[1]) ** 0.5) / 2)
    first, second = np.triu_indices(people, 1)
    total = np.zeros((len(decisions), people), np.float32)
    votes = np.zeros_like(total)
    for person in range(people):
        mine, other = decisions[:, first == person], decisions[:, second == person]
        total[:, person] = mine.sum(1) - other.sum(1)
        votes[:, person] = (mine > 0).sum(1) + (other < 0).sum(1)
    mean = total / max(1, people - 1)
    return np.asarray(np.where(votes > people / 2 - 1, mean, np.minimum(mean, 0) - 1), np.float32)


@dataclass(frozen=True)
class Classifier:
    """A :class:`Head` for the people ``names``, and on what it rests.

    ``content`` names the samples that it was trained on, ``threshold`` and ``strangers`` are raw scores; ``notes``
    are for reports. ``head`` is None for :data:`NEAREST`, which needs none.
    """

    model_id: str
    content: str
    names: tuple[str, ...]
    method: str = NEAREST
    head: Head | None = None
    threshold: float = 0.0
    strangers: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)

    def scores(
        self, embeddings: Embeddings, nearest: NDArray[np.float32], *, limit: float, low: float, slack: float
    ) -> NDArray[np.float32]:
        """N x P similarities on the gallery's scale: ``low`` for strangers, from ``limit`` on a name, at most 1.

        ``nearest`` are the similarities to the nearest samples; none of the result is more than ``slack`` above them.
        """
        if self.head is None:
            return nearest
        alike = self.similarity(self.head.raw(embeddings), limit, low)
        return np.asarray(np.minimum(alike, nearest + np.float32(slack)), np.float32)

    def similarity(self, raw: NDArray[np.float32], limit: float, low: float) -> NDArray[np.float32]:
        """Raw scores as similarities: a straight line up to ``limit``, above it bent so that none exceeds 1."""
        steps = (raw - self.threshold) * ((limit - low) / max(self.threshold - self.strangers, 1e-6))
        room = max(1 - limit, 1e-3)
        above = limit + room * np.tanh(np.maximum(steps, 0) / room)
        return np.asarray(np.where(steps < 0, np.maximum(limit + steps, -1), above), np.float32)

    def to_bytes(self) -> bytes:
        """The content of a classifier's file: NumPy arrays and one JSON text, nothing that could execute."""
        buffer = io.BytesIO()
        head = self.head or Head(self.method, np.empty((0, 0), np.float32), np.empty(0, np.float32))
        about = {
            "format": FORMAT, "model": self.model_id, "content": self.content, "method": self.method,
            "threshold": self.threshold, "strangers": self.strangers, "names": self.names, "notes": dict(self.notes),
        }  # fmt: skip
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez(buffer, about=text, weights=head.weights, bias=head.bias)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Classifier:
        """Reads what :meth:`to_bytes` has written. Raises :class:`GalleryError`."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                weights, bias = arrays["weights"], arrays["bias"]
            names, method = tuple(map(str, about["names"])), str(about["method"])
            threshold, strangers = float(about["threshold"]), float(about["strangers"])
            if about["format"] != FORMAT or method not in METHODS + BASELINES:
                raise ValueError(f"format {about['format']!r}, method {method!r}")
            head = None
            if method != NEAREST:
                rows = len(names) * (len(names) - 1) // 2 if method == PAIRS else len(names)
                if weights.dtype != np.float32 or weights.ndim != 2 or bias.dtype != np.float32:
                    raise ValueError("no matrix of float32")
                if not len(weights) == len(bias) == rows:
                    raise ValueError(f"{len(weights)} rows for {len(names)} people")
                if not (
                    np.isfinite(weights).all() and np.isfinite(bias).all() and np.isfinite([threshold, strangers]).all()
                ):
                    raise ValueError("numbers that are none")
                head = Head(method, weights, bias)
            return cls(
                str(about["model"]), str(about["content"]), names, method, head, threshold, strangers, about["notes"]
            )
        except Exception as error:  # NumPy raises zipfile's and its own types
            raise GalleryError(f"a damaged classifier ({type(error).__name__}: {error})") from error


def content(samples: Iterable[Sample], model_id: str) -> str:
    """A name for who is in a gallery with which samples, as ``model_id`` sees them: other content, other name."""
    lines = sorted(f"{s.id} {s.negative:d} {s.identity}" for s in samples)
    return hashlib.sha256("\n".join([model_id, *lines]).encode()).hexdigest()
