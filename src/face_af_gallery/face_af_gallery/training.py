"""Trains a classifier on a gallery's people: tries the methods, keeps the best, and says by how much it is better."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import BASELINES, METHODS, NEAREST, Classifier, Head
from .classifier_fitting import fit
from .cross_validation import Result, Scale, cross_validate
from .model import Embeddings, GalleryError, Sample
from .training_set import TrainingSet

AUTO = "auto"
MOST_COMPARED = 200
"""People up to which every method is tried; among more, the slow ones only where they are asked for."""
SAME = 0.9995
"""Similarity from which on two samples are the same photograph."""


@dataclass(frozen=True)
class Options:
    """How to train. ``method``: :data:`AUTO` or one of the methods; ``copies``: changed copies of each photograph;
    ``schedule``: of the softmax baseline."""

    method: str = AUTO
    seed: int = 42
    copies: int = 0
    schedule: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in (AUTO, *METHODS, *BASELINES):
            raise GalleryError(
                f"method {self.method!r} is unknown; there are {', '.join((AUTO, *METHODS, *BASELINES))}"
            )

    def to_text(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_text(cls, text: str) -> Options:
        """Raises :class:`GalleryError`."""
        try:
            data = json.loads(text)
            return cls(str(data["method"]), int(data["seed"]), int(data["copies"]), dict(data["schedule"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GalleryError(f"damaged training options ({type(error).__name__}: {error})") from error


@dataclass(frozen=True)
class Training:
    """What came out: the classifier to use, the figures of every method tried, and why this one."""

    classifier: Classifier
    names: tuple[str, ...]
    results: Mapping[str, Result]
    reason: str
    problems: Sequence[str]


def training_set(samples: Sequence[Sample], rows: Embeddings) -> tuple[tuple[str, ...], TrainingSet]:
    """The people's names in order, and their samples' embeddings (N x D, one row a sample)."""
    positive = np.array([not s.negative for s in samples], bool)
    shown = [s for s in samples if not s.negative]
    names = sorted({s.identity for s in shown})
    place = {name: number for number, name in enumerate(names)}
    owners = np.array([place[s.identity] for s in shown], np.int64)
    rows = np.asarray(rows, np.float32).reshape(len(samples), -1)
    count = np.arange(len(shown))
    return tuple(names), TrainingSet(rows[positive], owners, count, np.ones(len(shown), bool), rows[~positive])


def with_copies(data: TrainingSet, copies: Embeddings, photos: NDArray[np.int64]) -> TrainingSet:
    """``data`` and changed copies of its photographs (their numbers in ``photos``)."""
    return TrainingSet(
        np.vstack([data.rows, copies]),
        np.append(data.owners, data.owners[photos]),
        np.append(data.photos, photos),
        np.append(data.original, np.zeros(len(photos), bool)),
        data.background,
    )


def train(
    names: tuple[str, ...],
    data: TrainingSet,
    scale: Scale,
    options: Options,
    *,
    model_id: str,
    content: str,
    head: Head | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Training:
    """Tries what ``options`` ask for, and trains the best on everything. Raises :class:`GalleryError`.

    ``head``: the method that was asked for, trained already.
    """
    if not names:
        raise GalleryError("the gallery is empty: enrol a person with `ros2 run face_af_people enrol`")
    problems = _problems(names, data)
    methods, reason = _candidates(data, options)
    results = {}
    for method in methods:
        say(f"trying {method}")
        results[method] = cross_validate(method, data, scale, seed=options.seed, **_extra(method, options))
    chosen = options.method
    if chosen == AUTO:
        chosen, reason = (NEAREST, reason) if len(results) < 2 else choose(results)
    notes = {name: result.rates() for name, result in results.items()}
    made = Classifier(model_id, content, names, NEAREST, notes=notes)
    if chosen != NEAREST:
        say(f"training {chosen} on everything")
        head = head or fit(chosen, data, options.seed, **_extra(chosen, options))
        found = results[chosen]
        made = Classifier(model_id, content, names, chosen, head, found.threshold, found.strangers, notes)
    return Training(made, names, results, reason or f"{chosen} was asked for", problems)


def choose(results: Mapping[str, Result]) -> tuple[str, str]:
    """The method that names most, and why; another than the nearest sample only where the lead is no accident.

    At the same rate of strangers all trials are paired: what counts is on which of them the two differ.
    """
    rates = {name: result.rates() for name, result in results.items()}
    best = max(rates, key=lambda name: (rates[name]["named"] - rates[name]["misnamed"], name == NEAREST))
    if best == NEAREST:
        return NEAREST, "no other method names more"
    first, second = (results[name] for name in (best, NEAREST))
    known = first.owner >= 0
    good, was = (first.named == first.owner)[known], (second.named == second.owner)[known]
    won, lost = int((good & ~was).sum()), int((was & ~good).sum())
    lead = f"{rates[best]['named'] - rates[NEAREST]['named']:+.1%} named"
    if won - lost <= 2 * (won + lost) ** 0.5:
        return NEAREST, f"{best} leads by {lead} ({won} won, {lost} lost), which may be chance"
    return best, f"{best} leads by {lead} ({won} won, {lost} lost)"


def _candidates(data: TrainingSet, options: Options) -> tuple[tuple[str, ...], str]:
    people, most = data.people, int(np.bincount(data.owners[data.original]).max())
    asked = () if options.method in (AUTO, NEAREST) else (options.method,)
    if people < 2:
        if asked and asked != ("mean",):
            raise GalleryError(
                f"{asked[0]} tells people apart, and there is one person only: enrol another person, too"
            )
        return asked, "there is one person only: nothing to tell apart"
    if most < 2:
        return asked, "there is one photograph of each only: nothing to try the methods on"
    if people > MOST_COMPARED:
        return (NEAREST, "mean", *(m for m in asked if m != "mean")), ""
    return METHODS + tuple(m for m in asked if m not in METHODS), ""


def _extra(method: str, options: Options) -> dict[str, Any]:
    if method != "softmax" or not options.schedule:
        return {}
    from .softmax_training import Schedule

    return {"schedule": Schedule(**options.schedule)}


def _problems(names: Sequence[str], data: TrainingSet) -> list[str]:
    """Samples of different people that are the same photograph."""
    from .classifier import unit

    rows, owners = unit(data.rows[data.original]), data.owners[data.original]
    pairs: set[tuple[str, str]] = set()
    for start in range(0, len(rows), 1000):
        same = rows[start : start + 1000] @ rows.T >= SAME
        for a, b in zip(*np.nonzero(same), strict=True):
            if owners[start + a] < owners[b]:
                pairs.add((names[owners[start + a]], names[owners[b]]))
    return [f"{a} and {b} have the same photograph: one of the two names is wrong" for a, b in sorted(pairs)]
