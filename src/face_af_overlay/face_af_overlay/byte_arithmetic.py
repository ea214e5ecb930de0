"""Arithmetic of bytes that vector instructions know: nothing is widened, nothing wraps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import inlined


@inlined
def larger(a: Any, b: Any) -> Any:
    return a if a > b else b


@inlined
def smaller(a: Any, b: Any) -> Any:
    return a if a < b else b


@inlined
def less(a: Any, b: Any) -> Any:
    """``a - b``, not below zero."""
    return np.uint8(a - b) if a > b else np.uint8(0)


@inlined
def difference(a: Any, b: Any) -> Any:
    return np.uint8(a - b) if a > b else np.uint8(b - a)
