"""Of two processes with the same nodes only one works; the other waits until it has ended.

A second bringup in the same ROS domain and namespace would double every press, and the frames of two cameras would mix.
The lock is a name in Linux' abstract socket namespace: the kernel frees it at the moment in which its holder dies,
however it dies, and it reaches as far as discovery on this machine does (a network namespace).
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterable

_AGAIN_S = 0.1
_TELL_AFTER_S = 0.5
"""A predecessor that is just ending is not worth a message."""


class LeaderLock:
    """Holds ``names`` for this process, all or none; let go by :meth:`release` or by the process' end."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(names)
        self._held: list[socket.socket] = []

    def taken(self) -> str:
        """Takes all names; returns "", or the one that another process holds."""
        if self._held:
            return ""
        for name in self._names:
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                lock.bind(_address(name))
            except OSError:
                lock.close()
                self.release()
                return name
            self._held.append(lock)
        return ""

    def wait(self, ended: Callable[[float], bool], tell: Callable[[str], None]) -> bool:
        """Takes all names as soon as they are free.

        ``ended(seconds)`` waits for so long, and says whether to give up (then the answer is False); ``tell`` gets the
        name that is waited for, once.
        """
        begun, told = time.monotonic(), False
        while name := self.taken():
            if not told and time.monotonic() - begun > _TELL_AFTER_S:
                tell(name)
                told = True
            if ended(_AGAIN_S):
                return False
        return True

    def release(self) -> None:
        while self._held:
            self._held.pop().close()


def _address(name: str) -> str:
    # 107 bytes at most
    return "\0face_af/" + hashlib.sha256(name.encode()).hexdigest()
