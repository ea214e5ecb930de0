"""Events of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._limits import unsupplied
from .event import Event

if TYPE_CHECKING:
    from ..actions import ExecuteProcess

__all__ = [
    "ProcessExited",
    "ProcessStarted",
]

__getattr__ = unsupplied(__name__)


class ProcessEvent(Event):
    """``action`` is the one that started the process; ``process_name`` is its label, as in ``perception-2``."""

    def __init__(self, *, action: ExecuteProcess, name: str, cmd: list[str], pid: int) -> None:
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.pid = pid


class ProcessStarted(ProcessEvent):
    """A process was started."""


class ProcessExited(ProcessEvent):
    """A process ended; ``returncode`` is negative where a signal ended it."""

    def __init__(self, *, returncode: int, action: ExecuteProcess, name: str, cmd: list[str], pid: int) -> None:
        super().__init__(action=action, name=name, cmd=cmd, pid=pid)
        self.returncode = returncode
