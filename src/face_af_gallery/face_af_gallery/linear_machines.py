"""Linear borders between people: a support vector machine for each against the rest, and logistic regression.

The problems are those of scikit-learn's ``LinearSVC`` (squared hinge) and ``LogisticRegression`` (softmax), solved by
SciPy's L-BFGS for all people at once: importing scikit-learn alone takes longer than the whole training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Owners = NDArray[np.int64]
Loss = Callable[[NDArray[np.float32]], tuple[float, NDArray[Any]]]

STEPS = 12
"""Of the solver. Stopping early serves few photographs: ten times as many steps name no more."""


def svm(rows: Rows, owners: Owners, strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (K x D) and bias (K) of the classes ``owners`` (N) of ``rows`` (N x D).

    ``strength``: the inverse of regularisation (C). Everybody counts alike however many rows there are of them.
    """
    design, balance = _with_ones(rows), _balance(owners)
    each = np.arange(len(rows))

    def loss(weights: NDArray[np.float32]) -> tuple[float, NDArray[Any]]:
        # how much each score falls short of its margin: 1 above 0 for the own person, 1 below for all others
        missing = design @ weights.T
        missing += 1
        missing[each, owners] = np.maximum(2 - missing[each, owners], 0)
        np.maximum(missing, 0, out=missing)
        pull = missing.copy()
        pull[each, owners] *= balance[owners]
        value = 0.5 * float((weights * weights).sum()) + strength * float(np.vdot(missing, pull))
        pull[each, owners] *= -1
        return value, weights + np.float32(2 * strength) * (pull.T @ design)

    return _minimum(loss, int(owners.max()) + 1, design.shape[1])


def logistic(rows: Rows, owners: Owners, strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As :func:`svm`, by softmax; the bias is not regularised."""
    design, balance = _with_ones(rows), _balance(owners)
    each = np.arange(len(rows))
    share = (strength * balance[owners]).astype(np.float32)

    def loss(weights: NDArray[np.float32]) -> tuple[float, NDArray[Any]]:
        scores = design @ weights.T
        scores -= scores.max(1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(1, keepdims=True)
        right = scores[each, owners]
        inner = weights.copy()
        inner[:, -1] = 0
        value = 0.5 * float((inner * inner).sum()) - float(share @ np.log(np.maximum(right, 1e-30)))
        scores[each, owners] -= 1
        scores *= share[:, None]
        return value, inner + scores.T @ design

    return _minimum(loss, int(owners.max()) + 1, design.shape[1])


def _with_ones(rows: Rows) -> Rows:
    return np.hstack([rows, np.ones((len(rows), 1), np.float32)]).astype(np.float32)


def _balance(owners: Owners) -> NDArray[np.float32]:
    counts = np.bincount(owners)
    return np.asarray(len(owners) / len(counts) / np.maximum(counts, 1), np.float32)


def _minimum(loss: Loss, people: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.optimize import minimize

    def flat(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, gradient = loss(values.astype(np.float32).reshape(people, width))
        return value, gradient.astype(np.float64).ravel()

    options: dict[str, Any] = {"maxiter": STEPS, "ftol": 1e-6, "gtol": 1e-4}
    found = minimize(flat, np.zeros(people * width), jac=True, method="L-BFGS-B", options=options).x
    weights = np.asarray(found, np.float64).reshape(people, width)
    return weights[:, :-1], weights[:, -1]
