"""From what was measured of a rectangle to how sure it is to be an AF box, and what speaks most against it.

Each feature is worth something for or against a box, by a curve of straight pieces; the sum of all is the logarithm
of the odds. The curves (``curves.py``) are fitted to generated pictures by ``./run bench overlay_fit``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .curves import CURVES, ROUNDED_CURVES, ROUNDED_USUAL, USUAL
from .measure import FEATURES

# a text: NumPy 1.21 has it for type checkers only
Values: TypeAlias = "NDArray[np.floating[Any]]"

_FORMS = tuple(
    (
        [np.array([at for at, _ in curves[name]]) for name in FEATURES],
        [np.array([odds for _, odds in curves[name]]) for name in FEATURES],
        np.array([usual[name] for name in FEATURES]),
    )
    for curves, usual in ((CURVES, USUAL), (ROUNDED_CURVES, ROUNDED_USUAL))
)


def log_odds(features: Values, rounded: NDArray[np.bool_]) -> tuple[Values, Values]:
    """What each feature (N x features) says for a box, compared with what it usually says for one, and the sum of all.

    ``rounded``: N, where the corners are rounded.
    """
    single, total = np.zeros(features.shape), np.zeros(len(features))
    for form, (at, odds, usual) in zip((~rounded, rounded), _FORMS, strict=True):
        if form.any():
            curves = enumerate(zip(at, odds, strict=True))
            single[form] = np.stack([np.interp(features[form, i], a, o) for i, (a, o) in curves], axis=1) - usual
            total[form] = single[form].sum(axis=1) + usual.sum()
    return single, total


def confidence(total: Values) -> Values:
    """0 to 1 for each rectangle, from the sum of its log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(total, -30.0, 30.0))))


def worst(single: Values) -> str:
    """The feature that speaks most against one rectangle (a row of the first result of :func:`log_odds`)."""
    return FEATURES[int(np.argmin(single))]
