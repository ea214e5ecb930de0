"""When may the next frame be shown? The rules of lockstep, without ROS and without a clock of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Wait(Enum):
    """What the present frame still waits for."""

    NOTHING = "nothing"
    STEERING = "steering's answer"
    PRESS = "the delivery of a press"
    OBSERVER = "the observer, who has not got all of it"


@dataclass
class Lockstep:
    """One frame at a time: shown, answered by steering, its press delivered to the camera, seen by the observer.

    Fed with what arrives; ``driver`` says whether there is a driver at all that could deliver presses, ``observed``
    whether a node keeps a record and says of each frame that all of it has arrived.
    Commands are counted by their ids: steering's newest against the newest that the driver is done
    with. Either may start anew (a node that came back), which its falling id shows.
    """

    driver: bool = False
    observed: bool = False
    _stamp: int | None = field(default=None, init=False)
    _answered: bool = field(default=False, init=False)
    _seen: bool = field(default=False, init=False)
    _wanted: int = field(default=0, init=False)
    _delivered: int = field(default=0, init=False)
    _settled: int = field(default=0, init=False)

    def shown(self, stamp_ns: int) -> None:
        """A new frame is out."""
        self._stamp, self._answered, self._seen = stamp_ns, False, False

    def state(self, stamp_ns: int, last_command_id: int) -> None:
        """Steering's answer to a frame arrived."""
        if stamp_ns != self._stamp:
            return
        self._answered = True
        if last_command_id < self._wanted:
            self._settled = 0
        self._wanted = last_command_id

    def seen(self, stamp_ns: int) -> None:
        """The observer has all of a frame."""
        self._seen = self._seen or stamp_ns == self._stamp

    def status(self, last_command_id: int) -> None:
        """The driver's status arrived."""
        self.driver = True
        self._delivered = last_command_id

    def give_up_press(self) -> None:
        """Whoever should have delivered the press does not; go on without it."""
        self._settled = self._wanted

    @property
    def waits_for(self) -> Wait:
        if not self._answered:
            return Wait.STEERING
        if self.driver and self._wanted > self._settled and self._delivered < self._wanted:
            return Wait.PRESS
        if self.observed and not self._seen:
            return Wait.OBSERVER
        return Wait.NOTHING
