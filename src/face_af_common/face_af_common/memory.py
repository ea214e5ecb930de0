"""Memory is kept for the next picture rather than handed back; and whether an error says that there is none."""

from __future__ import annotations

import contextlib
import ctypes

_SHORTAGE = ("memory", "bad_alloc", "bad allocation", "map segment", "start new thread")
"""Words of what libraries raise when they get no memory."""
ADVICE = "there is not enough memory: end other programs, or raise the limit (ulimit -v)"
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of mallopt, as in <malloc.h>


def keep_freed_memory(megabytes: int = 128, largest_mb: int = 32) -> None:
    """Freed memory up to ``megabytes`` is used again, blocks up to ``largest_mb`` included.

    By default glibc maps a fresh block for each large picture, and the kernel clears its 1500 pages each time, which
    costs more than copying the picture. Nothing happens where the C library has no such settings.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 1)  # what one thread frees, another takes
        mallopt(_MMAP_THRESHOLD, largest_mb << 20)
        mallopt(_TRIM_THRESHOLD, megabytes << 20)


def is_shortage(error: BaseException) -> bool:
    """Whether an error of whatever library, or what led to it, says that it got no memory."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or any(word in str(found) for word in _SHORTAGE):
            return True
        found = found.__cause__ or found.__context__
    return False
