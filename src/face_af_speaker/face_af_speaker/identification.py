"""Whose voice it is: likeness to the enrolled people, and who may be named.

The numbers of a GE2E embedding are never negative, so that any two voices are alike. Likeness is therefore the cosine
after the average voice has been taken away (``data/ge2e_mean.npy``: the mean over 251 speakers of LibriSpeech
train-clean-100, CC BY 4.0, one utterance each). That halves the errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_af_gallery.voices import VoiceGallery

from .networks import Floats

MARGIN = 0.10
"""By so much a person must be more alike than the next one: two voices at once are like both, or like neither."""
LONG_WINDOWS, LONG_RISE = 3, 0.03
"""From so many windows (2.5 s of speech) on the threshold is higher by this: people are then more like themselves, and
of strangers as many as before would be named."""
_FULL_SECONDS = 30.0
"""Of a session: more speech does not weigh more."""


def average_voice() -> Floats:
    """The mean embedding of many people, 256 numbers."""
    return np.asarray(np.load(Path(__file__).parent / "data" / "ge2e_mean.npy", allow_pickle=False), np.float32)


_AVERAGE = average_voice()


def centred(embeddings: Floats) -> Floats:
    """Embeddings (… x 256) without what all voices share, of length one again; zeros stay zeros."""
    return _unit(np.asarray(_unit(embeddings) - _AVERAGE * (np.abs(embeddings).sum(-1, keepdims=True) > 0), np.float32))


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)


def threshold_for(threshold: float, windows: int) -> float:
    """The likeness that the mean of so many windows needs, given that of one."""
    return threshold + (LONG_RISE if windows >= LONG_WINDOWS else 0.0)


@dataclass(frozen=True)
class Match:
    """The most alike person, whatever the threshold; ``second``: likeness to the next one, -1 where there is none."""

    identity: str
    similarity: float
    second: float


class VoiceMatcher:
    """Compares embeddings with the people of a gallery; follows its changes."""

    def __init__(self, gallery: VoiceGallery, threshold: float, margin: float = MARGIN) -> None:
        self._gallery, self._version = gallery, -1
        self.threshold, self.margin = threshold, margin
        self.names: list[str] = []
        self._people: Floats = np.empty((0, 1), np.float32)

    def _refresh(self) -> None:
        if self._version == self._gallery.version:
            return
        self._version, self.names = self._gallery.version, self._gallery.names
        rows = []
        for name in self.names:
            sessions = self._gallery.samples(name)
            weights = [min(max(session.seconds, 1.0), _FULL_SECONDS) for session in sessions]
            rows.append(np.average(centred(np.stack([s.embedding for s in sessions])), axis=0, weights=weights))
        self._people = _unit(np.array(rows, np.float32)) if rows else np.empty((0, 1), np.float32)

    def scores(self, embedding: Floats) -> NDArray[np.float32]:
        """Likeness (-1 to 1) of one embedding to everybody in :attr:`names`."""
        self._refresh()
        if not self.names or not np.any(embedding):
            return np.full(len(self.names), -1.0, np.float32)
        return np.asarray(self._people @ centred(embedding), np.float32)

    def match(self, embedding: Floats) -> Match:
        """The best person, named or not."""
        scores = self.scores(embedding)
        if not len(scores):
            return Match("", -1.0, -1.0)
        best = int(scores.argmax())
        second = float(np.delete(scores, best).max()) if len(scores) > 1 else -1.0
        return Match(self.names[best], float(scores[best]), second)

    def name(self, embedding: Floats, windows: int) -> tuple[str, float]:
        """Who it is (empty: nobody who is known, or two people are alike it) and the likeness of the best one.

        ``windows``: how many of them the embedding is the mean of.
        """
        match = self.match(embedding)
        named = (
            match.similarity >= threshold_for(self.threshold, windows)
            and match.similarity - match.second >= self.margin
        )
        return match.identity if named else "", match.similarity
