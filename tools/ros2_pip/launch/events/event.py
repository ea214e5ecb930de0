"""Events of the launch as a whole."""

from __future__ import annotations


class Event:
    """Something that happened."""


class Shutdown(Event):
    """The launch is about to end."""

    def __init__(self, *, reason: str = "reason not given", due_to_sigint: bool = False) -> None:
        self.reason = reason
        self.due_to_sigint = due_to_sigint
