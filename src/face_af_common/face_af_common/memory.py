"""Memory is kept for the next picture, and spared where little is allowed; whether an error says that there is none."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource

_SHORTAGE = (
    "memory", "bad_alloc", "bad allocation", "map segment", "start new thread", "temporarily unavailable",
    "serialize proto",
)  # fmt: skip
"""Words of what libraries raise when they get no memory."""
ADVICE = "there is not enough memory: end other programs, or raise the limit (ulimit -v)"
PLENTY_BYTES = 4 << 30
"""With an address space of this size nothing needs to be spared."""
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
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


def spare_address_space() -> None:
    """Under a limit (``ulimit -v``) libraries get one thread for their sums, and the C library one arena.

    Each of OpenBLAS' threads reserves 32 MB, each thread's arena 64 MB; where a thread cannot be made, OpenBLAS waits
    for it for ever. To be called before anything imports NumPy.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= PLENTY_BYTES:
        return
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def is_shortage(error: BaseException) -> bool:
    """Whether an error of whatever library, or what led to it, says that it got no memory."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or any(word in str(found) for word in _SHORTAGE):
            return True
        found = found.__cause__ or found.__context__
    return False
