"""A camera's ear for a remote grip that a profile describes, whatever its codes are."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from face_af_common.types import ActionKind
from nikon_mcn10_driver.fields import Clock, Echo, FieldError, Values
from nikon_mcn10_driver.profile import Profile, Step
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.ptp import OperationCode, ResponseCode
from nikon_mcn10_driver.transport import Reply

from .answer import Answer

_REPLY_BYTES = 64


@dataclass
class _Sequence:
    """Steps that come in this order; ``button``: pressed when the last of them has come."""

    steps: tuple[Step, ...]
    button: ActionKind | None = None
    at: int = 0


class GripEar:
    """Hears the grip of ``profile``: start-up first, then heartbeats and buttons, every value as the profile has it.

    Counters must go on, echoes must be what this camera has sent, checksums must be right; times are not checked. What
    the grip would not say is answered with InvalidParameter.
    """

    def __init__(self, profile: Profile, seed: int = 0) -> None:
        self._profile = profile
        self._rng = random.Random(seed)
        steps = [*profile.init, *profile.close]
        steps += [step for beat in profile.heartbeats for step in beat.steps]
        steps += [step for button in profile.buttons.values() for step in button.press + button.release]
        self.operations = frozenset(step.operation for step in steps if step.operation is not None)
        self._with_data = frozenset(step.operation for step in steps if step.data is not None)
        self._asked = frozenset(part.operation for step in steps for part in _fields(step) if isinstance(part, Echo))
        self.open()

    def open(self) -> None:
        """A session begins."""
        profile = self._profile
        self._replies: dict[object, Reply] = {}
        self._values = Values(profile.counters, self._replies)
        self._start = _Sequence(_sent(profile.init))
        self._others = [
            *(_Sequence(_sent(beat.steps)) for beat in profile.heartbeats if _sent(beat.steps)),
            *(_Sequence(_sent(button.press), kind) for kind, button in profile.buttons.items()),
            *(_Sequence(_sent(button.release)) for button in profile.buttons.values() if _sent(button.release)),
            *([_Sequence(_sent(profile.close))] if _sent(profile.close) else []),
        ]

    def takes_data(self, operation: int) -> bool:
        """Whether the grip sends data with that operation."""
        return operation in self._with_data

    def hear(
        self, operation: int, transaction: int, params: tuple[int, ...], data: bytes
    ) -> tuple[Answer, ActionKind | None]:
        """The answer, and the button that this message completes the press of."""
        starting = self._start.at < len(self._start.steps)
        waiting = [self._start] if starting else self._others
        fitting = [one for one in waiting if one.steps[one.at].operation == operation and _fits(one, params, data)]
        # several sequences may begin alike
        steps = [one.steps[one.at] for one in fitting]
        taken = next((step for step in steps if self._is(step, transaction, params, data)), None)
        if taken is None:
            return Answer(ResponseCode.INVALID_PARAMETER), None
        pressed = None
        for sequence in fitting:
            if sequence.steps[sequence.at] == taken:
                sequence.at += 1
        done = next((one for one in fitting if one.at == len(one.steps)), None)
        if done is not None and not starting:
            pressed = done.button
            for sequence in self._others:
                sequence.at = 0
        return self._answer(operation, params), pressed

    def _is(self, step: Step, transaction: int, params: tuple[int, ...], data: bytes) -> bool:
        """Whether the message is this step; the values of its fields are used up only then."""
        try:
            wanted = self._values.params(step.params, transaction)
            body = b"" if step.data is None else self._values.data(step.data, transaction)
        except FieldError:
            return False
        timed = any(isinstance(part, Clock) for part in _fields(step))
        return timed or (wanted == params and body == data)

    def _answer(self, operation: int, params: tuple[int, ...]) -> Answer:
        if operation not in self._asked:
            return Answer()
        words = struct.unpack("<2I", self._rng.randbytes(8))
        reply = Reply(ResponseCode.OK, words, self._rng.randbytes(_REPLY_BYTES))
        self._replies[operation] = self._replies[operation, params] = reply
        return Answer(reply.code, reply.params, reply.data)


def grip_of(name: str) -> GripEar | None:
    """An ear for the grip of the profile file ``name``, None for an empty name; :class:`ProfileError` otherwise."""
    return GripEar(load_profile(str(Path(name).expanduser()), Path())) if name else None


def _sent(steps: Sequence[Step]) -> tuple[Step, ...]:
    standard = (OperationCode.GET_DEVICE_INFO,)
    return tuple(step for step in steps if step.operation is not None and step.operation not in standard)


def _fields(step: Step) -> list[object]:
    parts = [*step.params, *(step.data if isinstance(step.data, tuple) else ())]
    return [part for part in parts if not isinstance(part, int | bytes)]


def _fits(sequence: _Sequence, params: tuple[int, ...], data: bytes) -> bool:
    """Whether the constants of the next step are those of a message."""
    step = sequence.steps[sequence.at]
    if len(params) != len(step.params):
        return False
    if any(isinstance(mine, int) and mine != theirs for mine, theirs in zip(step.params, params, strict=True)):
        return False
    parts = step.data if isinstance(step.data, tuple) else (step.data or b"",)
    at = 0
    for part in parts:
        if isinstance(part, bytes):
            if data[at : at + len(part)] != part:
                return False
            at += len(part)
        else:
            at += part.bytes
    return at == len(data)
