"""How well a method names the people of a gallery and refuses others, tried on photographs that it was not trained on.

In each round a part of the people is held out altogether, as strangers, and a part of the photographs of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import NEAREST, Classifier
from .classifier_fitting import fit
from .matching import similarity
from .metrics import threshold_at
from .model import Embeddings
from .training_set import TrainingSet

ROUNDS = 5
FAR = 0.005
"""Share of strangers that may be named where the threshold is set."""
SPREAD = 2.576
"""Standard deviations above the mean that :data:`FAR` of a normal distribution exceed."""
REPEATED_UP_TO = 600
"""Photographs up to which the rounds are made three times, with other parts held out."""

Alike = Callable[[Embeddings, Embeddings], NDArray[np.float32]]
Split = tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]
"""What is trained on, photographs of the people in it to be named, and those of strangers."""


@dataclass(frozen=True)
class Scale:
    """The gallery's similarities: ``low`` of strangers, ``limit`` from which on a name is given, ``floor`` of the
    nearest sample below which none is (see :data:`face_af_gallery.classifier.GUARD`), ``margin`` over the second."""

    limit: float
    low: float
    floor: float
    margin: float = 0.04


@dataclass
class Tried:
    """What a method said of photographs that it was not trained on: each trial's photograph, its person (-1: a
    stranger), who was nearest and by which raw scores; of how many others the score was what."""

    photo: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    resembles: list[bool] = field(default_factory=list)
    others: list[NDArray[np.float32]] = field(default_factory=list)
    """Raw scores for people whom the photographs do not show."""


@dataclass(frozen=True)
class Result:
    """A method's figures. For each trial (``photo``, ``owner``; -1: a stranger) who it was ``named``; -1: nobody."""

    method: str
    threshold: float
    strangers: float
    photo: NDArray[np.int64]
    owner: NDArray[np.int64]
    named: NDArray[np.int64]

    def rates(self) -> dict[str, float]:
        """Shares of known people named, misnamed and not named, and of strangers named."""
        known, stranger = self.owner >= 0, self.owner < 0
        right, some = self.named == self.owner, self.named >= 0

        def share(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
            return float((of & among).sum() / max(1, among.sum()))

        return {
            "named": share(right, known), "misnamed": share(some & ~right, known), "not_named": share(~some, known),
            "strangers_named": share(some, stranger), "trials": int(known.sum()), "strangers": int(stranger.sum()),
        }  # fmt: skip


def splits(data: TrainingSet, seed: int) -> Iterator[Split]:
    """The rounds. Every photograph of a person with two or more is tried once, each person is a stranger once."""
    rng = np.random.default_rng(seed)
    people = data.people
    repeats = 3 if int(data.original.sum()) <= REPEATED_UP_TO else 1
    index = np.arange(len(data.rows))
    for _ in range(repeats):
        group = np.empty(people, np.int64)
        group[rng.permutation(people)] = np.arange(people) % ROUNDS
        turn = np.full(len(data.rows), -1)
        for person in range(people):
            mine = rng.permutation(index[(data.owners == person) & data.original])
            if len(mine) > 1:
                turn[mine] = (group[person] + 1 + np.arange(len(mine)) % (ROUNDS - 1)) % ROUNDS
        for number in range(ROUNDS):
            strange = group[data.owners] == number
            probes = np.flatnonzero((turn == number) & ~strange & data.original)
            trained = ~strange & ~np.isin(data.photos, data.photos[probes])
            if trained.any():
                yield trained, probes, np.flatnonzero(strange & data.original)


def cross_validate(
    method: str, data: TrainingSet, scale: Scale, *, seed: int = 42, alike: Alike = similarity, **options: Any
) -> Result:
    """Tries ``method`` (see :func:`face_af_gallery.classifier_fitting.fit`) and sets its two levels."""
    tried = Tried()
    for trained, known, strange in splits(data, seed):
        names = np.unique(data.owners[trained])
        if len(names) < 2 and method not in (NEAREST, "mean"):
            continue
        probes = np.concatenate([known, strange])
        if not len(probes):
            continue
        near = nearest(data, trained, probes, alike)
        head = None if method == NEAREST else fit(method, data.part(trained), seed, **options)
        raw = near if head is None else head.raw(data.rows[probes])
        _note(tried, data, probes, len(known), names, raw, near >= scale.floor)
    return _result(method, tried, scale)


def nearest(
    data: TrainingSet, trained: NDArray[np.bool_], probes: NDArray[np.int64], alike: Alike
) -> NDArray[np.float32]:
    """Similarity of each probe to the nearest photograph of each person in ``trained``."""
    rows = np.flatnonzero(trained & data.original)
    rows = rows[np.argsort(data.owners[rows], kind="stable")]
    starts = np.unique(data.owners[rows], return_index=True)[1]
    found = [
        np.maximum.reduceat(alike(data.rows[part], data.rows[rows]), starts, axis=1)
        for part in np.array_split(probes, max(1, len(probes) // 500))
    ]
    return np.concatenate(found)


def _note(
    tried: Tried,
    data: TrainingSet,
    probes: NDArray[np.int64],
    known: int,
    names: NDArray[np.int64],
    raw: NDArray[np.float32],
    resembles: NDArray[np.bool_],
) -> None:
    place = {int(person): column for column, person in enumerate(names)}
    each = np.arange(len(raw))
    best = raw.argmax(1)
    rest = raw.copy()
    rest[each, best] = -np.inf
    tried.photo += probes.tolist()
    tried.owner += [int(o) if i < known else -1 for i, o in enumerate(data.owners[probes])]
    tried.best += names[best].tolist()
    tried.raw += raw[each, best].tolist()
    tried.second += rest.max(1).tolist()
    tried.resembles += resembles[each, best].tolist()
    others = raw.copy()
    own = [place[int(owner)] for owner in data.owners[probes[:known]]]
    others[np.arange(known), own] = np.nan
    flat = others[np.isfinite(others)]
    tried.others.append(flat[:: max(1, len(flat) // 20_000)])


def _result(method: str, tried: Tried, scale: Scale) -> Result:
    owner, best = np.array(tried.owner, np.int64), np.array(tried.best, np.int64)
    raw, second = np.array(tried.raw, np.float32), np.array(tried.second, np.float32)
    resembles = np.array(tried.resembles, bool)
    others = np.concatenate([*tried.others, np.empty(0, np.float32)])
    right, stranger = (owner >= 0) & (best == owner), owner < 0
    usual = float(np.median(others)) if len(others) else 0.0
    genuine = raw[right].astype(np.float64)
    # whoever resembles no sample is refused anyway; where nobody is held out, people who are not meant stand in
    against = raw[stranger & resembles].astype(np.float64) if stranger.any() else others.astype(np.float64)
    lowest = usual + 0.25 * (float(np.median(genuine)) - usual) if len(genuine) else usual
    allowed = FAR * (stranger.sum() / max(1, len(against))) if stranger.any() else FAR
    threshold = max(threshold_at(against, min(1.0, allowed), genuine), lowest) if len(against) else lowest
    if stranger.any():
        # of few strangers the best one says little about those to come: their spread says more
        threshold = max(threshold, float(raw[stranger].mean() + SPREAD * raw[stranger].std()))
    threshold = max(threshold, usual + 1e-3)
    made = Classifier("", "", (), threshold=threshold, strangers=usual)
    alike = made.similarity(raw, scale.limit, scale.low)
    lead = alike - made.similarity(second, scale.limit, scale.low)
    named = np.where((alike >= scale.limit) & (lead >= scale.margin) & resembles, best, -1)
    return Result(method, threshold, usual, np.array(tried.photo, np.int64), owner, named)
