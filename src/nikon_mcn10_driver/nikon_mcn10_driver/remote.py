"""What the driver does with a camera, whichever way it reaches it: connect, act, keep alive, close."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from face_af_common.types import Action, ActionKind

from .af_area import AfArea
from .fields import FieldError, Values
from .limited import why_limited
from .profile import NOT_MEASURED, Button, Heartbeat, Measured, Profile, Step
from .ptp.codes import BUSY
from .session import BUSY_POLL, Clock, PtpError, Session
from .transport import Transport, TransportError

_SHUTTER_BUSY_S = 1.0
"""The shutter's key is tried so long while the camera is too busy to take it."""
_LET_GO_S = 1.0
"""The same for letting a key go: one that stays down is worse than a late release."""


class Refused(Exception):
    """The action was not carried out; the connection is fine. The text is for a person."""


@dataclass(frozen=True)
class Identity:
    """Which camera answers; ``warning`` says what of it cannot be used, and why."""

    model: str
    serial: str = ""
    firmware: str = ""
    warning: str = ""
    measured: Measured = NOT_MEASURED
    """What was measured with this camera and the profile in use."""


class Remote(Protocol):
    """One connection. Only one thread uses it; :meth:`interrupt` is for the others.

    Every method ends in bounded time; :class:`TransportError` means that the connection is lost.
    """

    @property
    def heartbeat_period(self) -> float:
        """Seconds without anything sent after which :meth:`heartbeat` is due."""

    def connect(self) -> Identity:
        """Reaches the camera and makes it ready for actions."""

    def perform(self, action: Action, budget: float) -> float:
        """Carries out one action, never twice; :class:`Refused` when that is impossible.

        ``budget``: seconds for which it may be repeated while the camera is too busy to take it.
        Returns ``time.monotonic()`` when its last byte had been written (a release comes later).
        """

    def shutter(self) -> Iterator[float]:
        """Takes one image: presses the shutter's key and lets it go, step by step.

        Each value is how long the caller may do other things before the next step, seconds. The key is let go whatever
        happens, also when the iterator is closed early. :class:`Refused` where that is impossible.
        """

    def heartbeat(self) -> None:
        """Keeps the connection alive; called when nothing else has been sent for ``heartbeat_period``."""

    def poll(self) -> None:
        """Looks at what has come in; does not wait."""

    def interrupt(self) -> None:
        """From another thread: whatever waits ends soon."""

    def close(self) -> None:
        """Leaves the camera as it was found, where that is still possible."""


class PtpRemote:
    """The camera through our own PTP session: buttons by a profile, AF-area mode by Nikon's operations."""

    def __init__(
        self,
        transport: Transport,
        profile: Profile | None,
        af_area: AfArea | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._session = Session(transport, profile.session if profile else 1, clock)
        self._profile = profile
        self._values: Values | None = None
        self._beats: list[tuple[Heartbeat, float]] = []
        self._last = 0.0
        self._no_buttons = "" if profile else "no remote profile is set, so there are no buttons"
        self._attached = False
        self._af_area = af_area or AfArea()

    @property
    def heartbeat_period(self) -> float:
        """Seconds from what was sent last to the heartbeat that is due next."""
        return max(0.0, min((due for _, due in self._beats), default=self._last + Heartbeat.period) - self._last)

    def connect(self) -> Identity:
        try:
            info = self._session.open()
        except PtpError as error:
            raise TransportError(str(error)) from error
        if limited := why_limited(info):
            raise TransportError(limited)
        if self._profile is not None:
            self._no_buttons = self._profile.mismatch(info.model, info.serial)
            if not self._no_buttons:
                self._values = Values(self._profile.counters, self._session.replies, self._session.now)
                try:
                    self._run_steps(self._profile.init, self._profile.busy_budget)
                except (PtpError, FieldError) as error:
                    raise TransportError(f"remote profile {self._profile.name}, init: {error}") from error
                self._attached = True
                # a driver that was killed in the middle of an exposure has left the key down
                self._let_shutter_go()
        self._last = self._session.now()
        if self._attached and self._profile is not None:
            self._beats = [(beat, self._last + beat.period) for beat in self._profile.heartbeats]
        measured = self._profile.measured if self._attached and self._profile is not None else NOT_MEASURED
        return Identity(info.model, info.serial, info.version, self._no_buttons, measured)

    def perform(self, action: Action, budget: float) -> float:
        try:
            if action.kind == ActionKind.AF_AREA:
                if not (math.isfinite(action.x) and math.isfinite(action.y)):
                    raise Refused(f"({action.x}, {action.y}) is no point of the picture")
                return self._af_area.move(self._session, action.x, action.y, budget)
            return self._press(action.kind, budget)
        except (PtpError, FieldError) as error:
            raise Refused(str(error)) from error
        finally:
            self._sent()

    def _sent(self) -> None:
        """Heartbeats that keep an idle connection alive begin anew."""
        self._last = self._session.now()
        self._beats = [(beat, self._last + beat.period if beat.idle else due) for beat, due in self._beats]

    def _press(self, kind: ActionKind, budget: float) -> float:
        if self._no_buttons or self._profile is None:
            raise Refused(self._no_buttons)
        button: Button | None = self._profile.buttons.get(kind)
        if button is None:
            raise Refused(f"remote profile {self._profile.name} has no button {kind.name.lower()}")
        written_at = self._run_steps(button.press, min(budget, self._profile.busy_budget))
        if button.release:
            self._session.sleep(self._profile.hold)
            self._run_steps(button.release, _LET_GO_S)
        if self._profile.gap:
            self._session.sleep(self._profile.gap)
        return written_at

    def _run_steps(self, steps: tuple[Step, ...], busy_budget: float) -> float:
        """When the last byte of the last operation had been written. Only the first one may be repeated at leisure."""
        written_at = time.monotonic()
        for step in steps:
            if step.operation is not None:
                self._run_step(step, step.operation, busy_budget)
                written_at = self._session.written_at
            if step.wait:
                self._session.sleep(step.wait)
        return written_at

    def _run_step(self, step: Step, operation: int, busy_budget: float) -> None:
        transaction = self._session.next_transaction
        values = self._values or Values({}, self._session.replies, self._session.now)
        params = values.params(step.params, transaction)
        data = None if step.data is None else values.data(step.data, transaction)
        try:
            self._session.run(operation, *params, data=data, busy_budget=busy_budget)
        except PtpError as error:
            if error.code not in step.accept:
                raise

    def shutter(self) -> Iterator[float]:
        if self._no_buttons or self._profile is None:
            raise Refused(self._no_buttons)
        if self._profile.shutter is None:
            raise Refused(f"remote profile {self._profile.name} has no shutter")
        down = True
        try:
            yield from self._paced(self._profile.shutter.press)
            yield self._profile.hold
            yield from self._paced(self._profile.shutter.release)
            down = False
        except (PtpError, FieldError) as error:
            raise Refused(str(error)) from error
        finally:
            if down:
                self._let_shutter_go()

    def _paced(self, steps: tuple[Step, ...]) -> Iterator[float]:
        """Runs steps one by one; what would be waited for between them is handed to the caller."""
        for step in steps:
            end = time.monotonic() + _SHUTTER_BUSY_S
            while step.operation is not None:
                try:
                    self._run_step(step, step.operation, 0.0)
                    break
                except PtpError as error:
                    if error.code not in BUSY or time.monotonic() > end:
                        raise
                finally:
                    self._sent()
                yield BUSY_POLL
            if step.wait:
                yield step.wait

    def _let_shutter_go(self) -> None:
        """A camera that knows of no key that is down may refuse that."""
        if self._profile is not None and self._profile.shutter is not None:
            with suppress(PtpError, FieldError, TransportError):
                self._run_steps(self._profile.shutter.release, _LET_GO_S)

    def heartbeat(self) -> None:
        now = self._session.now()
        # the caller's clock may be a trifle ahead of ours
        earliest = min((due for _, due in self._beats), default=now)
        for i, (beat, due) in enumerate(self._beats):
            if due > max(now, earliest):
                continue
            try:
                self._run_steps(beat.steps, 0.0)
            except (PtpError, FieldError) as error:
                if not isinstance(error, PtpError) or error.code not in BUSY:
                    raise TransportError(f"the camera has dropped the remote grip: {error}") from error
            late = now - due > beat.period
            begin = self._session.now() if beat.idle else now if late else due
            self._beats[i] = beat, begin + beat.period
        self._last = self._session.now()
        if self._profile is None or self._profile.poll_events:
            self._session.poll_events()
        else:
            self._session.channel_events()

    def poll(self) -> None:
        self._session.channel_events()

    def interrupt(self) -> None:
        self._session.interrupt()

    def close(self) -> None:
        try:
            if self._attached and self._profile is not None:
                self._run_steps(self._profile.close, 0.0)
        except (PtpError, TransportError, FieldError):
            pass
        finally:
            self._attached = False
            self._beats = []
            self._session.close()


class DryRunRemote:
    """Takes every action and sends none."""

    heartbeat_period = Heartbeat.period

    def connect(self) -> Identity:
        return Identity("dry run")

    def perform(self, action: Action, budget: float) -> float:
        return time.monotonic()

    def shutter(self) -> Iterator[float]:
        yield 0.0

    def heartbeat(self) -> None:
        pass

    def poll(self) -> None:
        pass

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass
