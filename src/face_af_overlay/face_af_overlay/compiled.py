"""Loops over pixels as machine code.

Compiled functions are kept beside their sources (or, where that folder cannot be written, in the user's cache),
so only the first start compiles: some ten seconds. The cache looks at the file of the outermost compiled function
only, so the compiled functions that it calls belong in the same file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def inlined(function: Function) -> Function:
    """For a few instructions in the middle of a loop: becomes part of the compiled function that calls it.

    Only so are such loops sure to be vectorised, also when the callee has been read from the cache.
    """
    done: Any = njit(inline="always", error_model="numpy")(function)
    return cast(Function, done)


def compiled(function: Function) -> Function:
    """Compiles ``function`` at its first call, without checks of bounds and without the interpreter's lock."""
    done: Any
    try:
        done = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to keep it
        done = njit(nogil=True, error_model="numpy")(function)
    return cast(Function, done)
