"""From what was measured of a rectangle to how sure it is to be an AF box, and what speaks most against it.

Each feature is worth something for or against a box, by a curve of straight pieces; the sum of all is the logarithm
of the odds. The curves (``curves.py``) are fitted to generated pictures by ``./run bench overlay_fit``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .curves import CURVES, USUAL
from .measure import FEATURES

Values = NDArray[np.floating[Any]]

_AT = [np.array([at for at, _ in CURVES[name]]) for name in FEATURES]
_WORTH = [np.array([worth for _, worth in CURVES[name]]) for name in FEATURES]
_USUAL = np.array([USUAL[name] for name in FEATURES])


def worth(features: Values) -> Values:
    """What each feature is worth (N x features), compared with what it usually is for a box."""
    values = [np.interp(features[:, i], at, worth) for i, (at, worth) in enumerate(zip(_AT, _WORTH, strict=True))]
    return np.stack(values, axis=1) - _USUAL


def confidence(worths: Values) -> Values:
    """0 to 1 for each rectangle."""
    odds = np.clip(worths.sum(axis=1) + _USUAL.sum(), -30.0, 30.0)
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def worst(worths: Values) -> str:
    """The feature that speaks most against one rectangle (a row of :func:`worth`)."""
    return FEATURES[int(np.argmin(worths))]
