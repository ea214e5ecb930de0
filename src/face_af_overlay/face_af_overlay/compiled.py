"""Loops over pixels as machine code.

Compiled functions are kept beside their sources (or, where that folder cannot be written, in the user's cache),
so only the first start compiles: some ten seconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    else:
        # Numba looks at the file of the function only; what it calls is in other files too
        with contextlib.suppress(AttributeError):
            done._cache._cache_file._source_stamp = _sources()
    return cast(Function, done)


@cache
def _sources() -> tuple[float, int]:
    """Tells versions of this package apart: the newest change and the total size of its files."""
    files = [path.stat() for path in Path(__file__).parent.rglob("*.py")]
    return max(file.st_mtime for file in files), sum(file.st_size for file in files)


class _SamePixels:
    """NumPy's array interface of an array, without its read-only flag."""

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}
        self._array = array  # kept as long as the pixels are


def readable(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture as the loops are compiled for it: contiguous and not marked read-only. They only read it.

    Frames that several nodes share are read-only; a second version of every loop, or a copy of 6 MB, would be for
    nothing.
    """
    picture = np.ascontiguousarray(picture)
    return picture if picture.flags.writeable else np.asarray(_SamePixels(picture))
