"""Lines of a header (Raspberry Pi, Jetson) through the kernel's character device, and a "light" in the terminal.

A line is two methods, ``set`` and ``close``: whatever has them can stand in.
"""

from __future__ import annotations

import errno
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from .action_file import Gpio
from .workers import ActionError


class Line(Protocol):
    """One output."""

    def set(self, active: bool) -> None:
        """Raises ``ActionError``."""

    def close(self) -> None:
        """Inactive, and free for others."""


class GpiodLine:
    """A line of a ``/dev/gpiochip*`` (libgpiod 2); needs no root where the user may open the device."""

    def __init__(self, spec: Gpio) -> None:
        try:
            import gpiod
            from gpiod.line import Direction, Value
        except ImportError as error:  # version 1, of older distributions, has no gpiod.line
            raise ActionError("the Python package gpiod 2 is missing: pip install 'gpiod>=2'") from error
        self._what = f"{spec.chip} line {spec.line}"
        self._values = Value.INACTIVE, Value.ACTIVE
        self._line = spec.line
        settings = gpiod.LineSettings(
            direction=Direction.OUTPUT, active_low=spec.active_low, output_value=Value.INACTIVE
        )
        try:
            self._request: Any = gpiod.request_lines(spec.chip, consumer="face_af", config={spec.line: settings})
        except (OSError, ValueError) as error:
            raise ActionError(f"{self._what}: {_why(error)}") from error

    def set(self, active: bool) -> None:
        try:
            self._request.set_value(self._line, self._values[active])
        except OSError as error:
            raise ActionError(f"{self._what}: {_why(error)}") from error

    def close(self) -> None:
        self.set(False)
        self._request.release()


def _why(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return "in use by another program (gpioinfo says by which)"
    if number == errno.ENOENT:
        return "there is no such chip here (gpiodetect lists them); gpio: terminal shows a light in the terminal"
    if number in (errno.ENODEV, errno.ENOTTY):
        return "no GPIO chip (gpiodetect lists them)"
    if number in (errno.EACCES, errno.EPERM):
        return "may not be opened: add yourself to the group gpio, or run with the device's rights"
    return str(getattr(error, "strerror", None) or error)


class TerminalLine:
    """A line of text for each change: to look at where there is no header."""

    def __init__(self, spec: Gpio, write: Callable[[str], object] | None = None) -> None:
        self._spec, self._write, self._active = spec, write or sys.stderr.write, False

    def set(self, active: bool) -> None:
        if active != self._active:
            self._write(f"{'●' if active else '○'} line {self._spec.line} {'on' if active else 'off'}\n")
        self._active = active

    def close(self) -> None:
        self.set(False)


class Pulses:
    """Switches one line on for some seconds; asked again meanwhile, they begin anew. Off at the end, too."""

    def __init__(self, line: Line, say: Callable[[str], None]) -> None:
        self._line, self._say = line, say
        self._until = 0.0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="gpio", daemon=True)
        self._thread.start()

    def pulse(self, seconds: float) -> None:
        """Never waits."""
        with self._changed:
            self._until = max(self._until, time.monotonic() + seconds)
            self._changed.notify()

    def _run(self) -> None:
        active = False
        with self._changed:  # free while it waits
            while not self._closing:
                wanted = time.monotonic() < self._until
                if wanted != active:
                    active = wanted
                    self._try(lambda on=wanted: self._line.set(on))  # type: ignore[misc]
                self._changed.wait(max(0.0, self._until - time.monotonic()) if active else None)
        self._try(self._line.close)

    def _try(self, change: Callable[[], None]) -> None:
        try:
            change()
        except ActionError as error:
            self._say(str(error))

    def wait_off(self, seconds: float) -> bool:
        """For tools: until the line is off again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < min(self._until + 0.05, deadline):
            time.sleep(0.02)
        return time.monotonic() >= self._until

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(2.0)
