"""Who is looked for: the references of each person, how near a face comes to them, and how the bank grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .settings import CropSettings

Rows = NDArray[np.float32]
"""N x D embeddings."""

USUAL_THRESHOLD = 0.42
"""Where every embedder's own threshold lies on the scale of likeness."""


@dataclass(frozen=True)
class Scale:
    """Turns an embedder's similarity into likeness: strangers at 0, ``threshold`` at 0.42, linear."""

    strangers: float
    threshold: float

    def likeness(self, similarity: NDArray[np.float32]) -> NDArray[np.float32]:
        shown = (similarity - self.strangers) * (USUAL_THRESHOLD / (self.threshold - self.strangers))
        return np.asarray(np.minimum(shown, 1.0), np.float32)


@dataclass(frozen=True)
class Addition:
    """A face that the pre-scan added: where it was seen, and how near it was to the user's own references."""

    person: str
    video: str
    frame: int
    time: float
    distance: float
    quality: float


@dataclass
class Bank:
    """References of several people and of people who are *not* meant (``doubles``), all by one embedder.

    ``given`` are the user's own; ``grown`` what the pre-scan added. Distances count both.
    """

    scale: Scale
    given: dict[str, Rows]
    doubles: Rows
    grown: dict[str, list[Rows]] = field(default_factory=dict)
    additions: list[Addition] = field(default_factory=list)

    @property
    def people(self) -> list[str]:
        return list(self.given)

    def rows(self, person: str) -> Rows:
        """All references of ``person``, N x D."""
        return np.concatenate([self.given[person], *self.grown.get(person, [])])

    def distances(self, faces: Rows) -> NDArray[np.float32]:
        """F x P distances of F faces to the P people, each to the nearest reference. 0 to about 2."""
        return np.stack([self._distance(faces, self.rows(person)) for person in self.people], axis=1)

    def distances_to_given(self, faces: Rows, person: str) -> NDArray[np.float32]:
        """F distances to the user's own references of ``person``."""
        return self._distance(faces, self.given[person])

    def distances_to_doubles(self, faces: Rows) -> NDArray[np.float32]:
        """F distances to the nearest of those who are not meant; ``inf`` where there are none."""
        if not len(self.doubles):
            return np.full(len(faces), np.inf, np.float32)
        return self._distance(faces, self.doubles)

    def _distance(self, faces: Rows, references: Rows) -> NDArray[np.float32]:
        from face_af_gallery.matching import similarity

        if not len(faces):
            return np.empty(0, np.float32)
        return np.asarray(1 - self.scale.likeness(similarity(faces, references)).max(1), np.float32)


def doubted(distances: NDArray[np.float32], quality: NDArray[np.float32], s: CropSettings) -> NDArray[np.float32]:
    """F x P distances, larger for poor faces: networks find two blurred profiles alike, whoever they are.

    ``doubt x (1 - quality / doubt_below_quality)`` is added where the quality (F) is below ``doubt_below_quality``.
    """
    if s.doubt_below_quality <= 0:
        return distances
    missing = np.maximum(0, 1 - quality / s.doubt_below_quality)
    return np.asarray(distances + s.doubt * missing[:, None], np.float32)


@dataclass(frozen=True)
class SeenFace:
    """A face of the pre-scan that may join the bank."""

    video: str
    frame: int
    time: float
    embedding: NDArray[np.float32]
    quality: float


def grow(bank: Bank, faces: Sequence[SeenFace], settings: CropSettings) -> None:
    """Adds to ``bank`` those of ``faces`` (in order of time) that pass every gate.

    A face must be near the user's *own* references (additions never vouch for others, so a bank cannot drift to
    another person), farther by a margin from everybody else, of good quality, apart in time from the last addition,
    and not a duplicate.
    """
    last: dict[str, tuple[str, float]] = {}
    for seen in faces:
        row = seen.embedding[None]
        for person in bank.people:
            added = bank.grown.setdefault(person, [])
            if len(added) >= settings.bank_cap or seen.quality < settings.bank_quality_min:
                continue
            video, time = last.get(person, ("", 0.0))
            if video == seen.video and seen.time - time < settings.bank_gap_sec:
                continue
            distance = float(bank.distances_to_given(row, person)[0])
            others = [float(bank.distances_to_given(row, other)[0]) for other in bank.people if other != person]
            others.append(float(bank.distances_to_doubles(row)[0]))
            if distance > settings.prescan_fd_add or min(others) - distance < settings.face_margin:
                continue
            if _cosine(row, bank.rows(person)) > settings.bank_duplicate:
                continue
            added.append(row)
            last[person] = (seen.video, seen.time)
            bank.additions.append(
                Addition(
                    person, seen.video, seen.frame, round(seen.time, 3), round(distance, 4), round(seen.quality, 3)
                )
            )


def _cosine(row: Rows, rows: Rows) -> float:
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
    return float(((rows @ row[0]) / np.maximum(norms, 1e-9)).max())
