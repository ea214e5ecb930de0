"""Two processes for one node: one is the node, the other waits, with everything imported, until the first has ended.

The kernel decides by a file lock, which is free at the very moment in which its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

TURN = "FACE_AF_TURN"
"""Environment variable: the lock file of the node's processes; none = there is only one process."""


@contextmanager
def turn() -> Iterator[None]:
    """Waits until no other process holds the lock file in :data:`TURN`, and holds it for the body.

    Raises :class:`KeyboardInterrupt` on Ctrl-C while it waits, and :class:`OSError` where the file cannot be made.
    """
    path = os.environ.get(TURN)
    if not path:
        yield
        return
    with open(path, "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
