"""Open-set identification: who is named rightly, and which strangers are named at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_af_gallery.matching import Lead
from face_af_gallery.metrics import Scores

Scorer = Callable[[list[tuple[str, int]], list[int]], tuple[list[str], NDArray[np.float32]]]
"""From who is enrolled with which photo (index), and N probes (indices): the P names, and N x P scores."""

REFUSED = -2.0
"""The score of a face that no threshold accepts: the best person leads the second by less than the margin."""


@dataclass(frozen=True)
class OpenSet:
    """Scores of the best person for each trial. ``known``: probes of enrolled people; ``strangers``: of others."""

    enrolled: int
    """Photos enrolled a person."""
    known: Scores
    right: NDArray[np.bool_]
    """Whether the best person is the right one, for each of ``known``."""
    strangers: Scores

    def rates(self, threshold: float) -> tuple[float, float, float]:
        """At a threshold the shares of known probes named rightly, of known ones named wrongly, of strangers named."""
        accepted = self.known >= threshold
        return (
            float((accepted & self.right).mean()) if len(self.known) else 0.0,
            float((accepted & ~self.right).mean()) if len(self.known) else 0.0,
            float((self.strangers >= threshold).mean()) if len(self.strangers) else 0.0,
        )


def evaluate(
    people: Mapping[str, Sequence[int]],
    score: Scorer,
    *,
    enrol: int,
    margin: float,
    lead: Lead | None = None,
    repeats: int = 30,
    seed: int = 1,
) -> OpenSet:
    """Enrols ``enrol`` random photos of each person, again and again, and tries the others.

    ``people`` gives the indices of each person's photos. In every round the photos that are not enrolled are probes
    of known people, and each person in turn is left out of the gallery, where all of their photos are strangers.
    ``lead`` is added to the scores only then, so that nobody counts as second who is left out.
    """
    rng = np.random.default_rng(seed)
    known, right, strangers = [], [], []
    photos = [index for indices in people.values() for index in indices]
    owners = [name for name, indices in people.items() for _ in indices]
    for _ in range(repeats):
        chosen = {
            name: rng.choice(indices, min(enrol, len(indices)), replace=False).tolist()
            for name, indices in people.items()
        }
        names, scores = score([(name, index) for name, taken in chosen.items() for index in taken], photos)
        place = {name: column for column, name in enumerate(names)}
        for row, owner, index in zip(scores, owners, photos, strict=True):
            if index not in chosen[owner]:
                best, value = _best(row, margin, lead)
                known.append(value)
                right.append(names[best] == owner)
            others = np.delete(row, place[owner])
            if len(others):
                strangers.append(_best(others, margin, lead)[1])
    return OpenSet(enrol, np.array(known), np.array(right, bool), np.array(strangers))


def _best(row: NDArray[np.float32], margin: float, lead: Lead | None) -> tuple[int, float]:
    if lead is not None:
        row = lead.added(row[None].copy())[0]
    best = int(row.argmax())
    second = float(np.delete(row, best).max()) if len(row) > 1 else -1.0
    value = float(row[best])
    return best, value if value - second >= margin else REFUSED
