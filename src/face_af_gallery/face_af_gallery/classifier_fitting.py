"""The methods that a classifier can be trained with; arrays are what is kept of them."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifier import NEAREST, PAIRS, Head, unit
from .linear_machines import logistic, svm
from .model import Embeddings, GalleryError
from .training_set import Frame, TrainingSet

MOST_IN_PAIRS = 150
"""People of whom every pair can be given a machine of its own: 11,175 of them."""

MOST_DRAWS = 20
"""Machines that are averaged where there are unequally many photographs of people."""

PENALTY = {"svm": 1.0, "logistic": 10.0, PAIRS: 1.0}
"""Inverse strength of regularisation (scikit-learn's C) for rows of mean length one around the gallery's mean."""


def fit(method: str, data: TrainingSet, seed: int = 42, **options: Any) -> Head:
    """Trains ``method`` on ``data``, every person counted alike however many photographs there are of them.

    Raises :class:`GalleryError` where the method cannot serve these people.
    """
    if method == NEAREST:
        raise ValueError("the nearest sample needs no training")
    if method == "mean":
        return _mean(data)
    if data.people < 2:
        raise GalleryError(f"{method} tells people apart: at least two are needed")
    if method == PAIRS and data.people > MOST_IN_PAIRS:
        raise GalleryError(
            f"{method} would need {data.people * (data.people - 1) // 2:,} machines for {data.people} people; "
            f"it serves for up to {MOST_IN_PAIRS}"
        )
    if method == "softmax":
        from .softmax_training import SoftmaxTraining

        return SoftmaxTraining(data, seed=seed, **options).run()
    return _linear(method, data, seed)


def _mean(data: TrainingSet) -> Head:
    rows, people = unit(data.rows), data.people
    total = np.zeros((people, rows.shape[1]), np.float32)
    np.add.at(total, data.owners, rows)
    return Head("mean", unit(total), np.zeros(people, np.float32))


def _linear(method: str, data: TrainingSet, seed: int) -> Head:
    frame = Frame(data)
    draws = even_draws(data, seed)
    learnt = [_borders(method, data, draw, frame, seed) for draw in draws]
    weights, bias = (np.mean([part[i] for part in learnt], 0) for i in (0, 1))
    return frame.outside(method, weights, bias)


def even_draws(data: TrainingSet, seed: int) -> list[NDArray[np.bool_]]:
    """Rows to train on, one after the other, each with equally many photographs of everybody; all together are all.

    A border between few and many photographs lies too near to the few, whatever weights they are given: machines that
    each see equally many, averaged, make no more errors the more photographs there are of one person.
    """
    rng = np.random.default_rng(seed)
    photos = [rng.permutation(np.unique(data.photos[data.owners == person])) for person in range(data.people)]
    counts = [len(mine) for mine in photos]
    size = max(min(counts), -(-max(counts) // MOST_DRAWS))
    parts = [np.array_split(mine, -(-len(mine) // size)) for mine in photos]
    rounds = max(map(len, parts))
    return [np.isin(data.photos, np.concatenate([mine[turn % len(mine)] for mine in parts])) for turn in range(rounds)]


def _borders(
    method: str, data: TrainingSet, draw: NDArray[np.bool_], frame: Frame, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias of a method's borders, in ``frame``."""
    rows, owners, people = frame.inside(data.rows[draw]), data.owners[draw], data.people
    if len(data.background) and method != PAIRS:
        rows = np.vstack([rows, frame.inside(data.background)])
        owners = np.append(owners, np.full(len(data.background), people))
    with _one_thread():
        if method == PAIRS:
            return _pairs(rows, owners, seed)
        weights, bias = (svm if method == "svm" else logistic)(rows, owners, PENALTY[method])
    return weights[:people], bias[:people]


def _pairs(rows: Embeddings, owners: NDArray[np.int64], seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.svm import SVC

    machine = SVC(
        kernel="linear", decision_function_shape="ovo", C=PENALTY[PAIRS], class_weight="balanced", random_state=seed
    ).fit(rows, owners)
    weights, bias = np.atleast_2d(machine.coef_), np.atleast_1d(machine.intercept_)
    # scikit-learn turns the only border of a pair round
    return (-weights, -bias) if len(weights) == 1 else (weights, bias)


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    """Threads wait for one another on matrices as small as these: ten times longer where others work, too."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    return threadpool_limits(1)  # type: ignore[no-any-return]
