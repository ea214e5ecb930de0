"""The third-party package ``nikon-usb-control`` as a remote, where the user has installed it.

Its class ``NikonMCN10Emu`` speaks to the body as an MC-N10 grip. Here it gets what it lacks: every call has a
wall-clock bound, and any fault ends in a new connection.
"""

from __future__ import annotations

import importlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from face_af_common.types import Action, ActionKind

from .remote import Identity, Refused
from .transport import DeviceGone, Interrupted, TransportError

MODULES = ("Nikon_mc_n10", "nikon_usb_control.Nikon_mc_n10")
_DRAIN_MS = 300
"""Its own default is longer; 300 makes quicker commands."""

_METHODS = {ActionKind.LEFT: "multi_left", ActionKind.RIGHT: "multi_right", ActionKind.FN1: "press_fn1"}
_CONNECT_TIMEOUT, CALL_TIMEOUT, _CLOSE_TIMEOUT = 15.0, 3.0, 2.0
"""Seconds until a call that hangs is given up."""


class NikonUsbControlRemote:
    """One connection through ``NikonMCN10Emu``; a call that does not come back is given up with its thread."""

    heartbeat_period = 0.5

    def __init__(self) -> None:
        self._interrupted = threading.Event()
        self._worker: _Worker | None = None
        self._emulator: Any = None

    def connect(self) -> Identity:
        module = _load()
        if hasattr(module, "DRAIN_OVERALL_TIME_MS"):
            module.DRAIN_OVERALL_TIME_MS = _DRAIN_MS
        self._worker = _Worker()
        self._emulator = self._call(lambda: module.NikonMCN10Emu(verbose=False), "NikonMCN10Emu", CALL_TIMEOUT)
        if self._call(self._emulator.connect_and_init, "connect_and_init", _CONNECT_TIMEOUT) is False:
            raise DeviceGone("nikon-usb-control does not reach a camera")
        return Identity("Nikon through nikon-usb-control")

    def perform(self, action: Action, budget: float) -> float:
        name = _METHODS.get(action.kind)
        if name is None:
            raise Refused(f"nikon-usb-control has no {action.kind.name.lower()}; it has left, right and fn1")
        if self._call(getattr(self._emulator, name), name, CALL_TIMEOUT) is False:
            raise Refused(f"nikon-usb-control: {name} failed")
        return time.monotonic()

    def shutter(self) -> Iterator[float]:
        raise Refused("nikon-usb-control has no shutter; it has left, right and fn1")

    def heartbeat(self) -> None:
        self._call(self._emulator.send_idle_heartbeat, "send_idle_heartbeat", CALL_TIMEOUT)

    def poll(self) -> None:
        pass

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        emulator, self._emulator = self._emulator, None
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if emulator is not None and not worker.stuck:
            try:
                worker.call(emulator.close, _CLOSE_TIMEOUT, threading.Event())
            except Exception:
                # it is being given up in any case
                pass
        worker.end()

    def _call(self, function: Callable[[], Any], name: str, timeout: float) -> Any:
        if self._worker is None:
            raise DeviceGone("not connected")
        try:
            return self._worker.call(function, timeout, self._interrupted)
        except TransportError:
            raise
        except Exception as error:
            raise TransportError(f"nikon-usb-control, {name}: {type(error).__name__}: {error}") from error


class _Worker:
    """Runs calls in one daemon thread, so that the caller can stop waiting for them."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], Any] | None] = queue.Queue(maxsize=1)
        self._results: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=1)
        self.stuck = False
        threading.Thread(target=self._run, name="nikon_usb_control", daemon=True).start()

    def _run(self) -> None:
        while (function := self._calls.get()) is not None:
            try:
                result = True, function()
            except Exception as error:
                result = False, error
            if self.stuck:
                return
            self._results.put(result)

    def call(self, function: Callable[[], Any], timeout: float, interrupted: threading.Event) -> Any:
        self._calls.put(function)
        end = time.monotonic() + timeout
        while True:
            try:
                good, value = self._results.get(timeout=0.1)
                break
            except queue.Empty:
                if interrupted.is_set() or time.monotonic() > end:
                    self.stuck = True
                    if interrupted.is_set():
                        raise Interrupted("the connection is being closed") from None
                    raise TransportError(f"nikon-usb-control did not come back within {timeout:.0f} s") from None
        if not good:
            raise value
        return value

    def end(self) -> None:
        if not self.stuck:
            self._calls.put(None)


def _load() -> Any:
    for name in MODULES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in (name, name.split(".")[0]):
                raise TransportError(f"nikon-usb-control needs {error.name}, which is not installed") from error
        except Exception as error:
            raise TransportError(f"nikon-usb-control does not load: {type(error).__name__}: {error}") from error
    raise TransportError("the package nikon-usb-control is not installed (transport nikon_usb_control needs it)")
