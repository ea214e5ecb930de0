"""The third-party package as a backend, with a stand-in for it."""

from __future__ import annotations

import sys
import threading
import time
from types import ModuleType

import pytest

from face_af_common.types import Action, ActionKind
from nikon_mcn10_driver import nikon_usb_control
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.nikon_usb_control import NikonUsbControlRemote
from nikon_mcn10_driver.remote import Refused
from nikon_mcn10_driver.transport import Interrupted, TransportError

CALLS: list[str] = []


class Emulator:
    hang: threading.Event | None = None
    broken = False

    def __init__(self, verbose: bool = True) -> None:
        CALLS.append(f"init verbose={verbose}")

    def connect_and_init(self) -> None:
        CALLS.append("connect")

    def multi_left(self) -> None:
        CALLS.append("left")
        if Emulator.broken:
            raise OSError(19, "No such device")
        if Emulator.hang is not None:
            Emulator.hang.wait(10)

    def multi_right(self) -> None:
        CALLS.append("right")

    def press_fn1(self) -> None:
        CALLS.append("fn1")

    def send_idle_heartbeat(self) -> None:
        CALLS.append("heartbeat")

    def close(self) -> None:
        CALLS.append("close")


@pytest.fixture
def module(monkeypatch):
    CALLS.clear()
    monkeypatch.setattr(Emulator, "hang", None)
    monkeypatch.setattr(Emulator, "broken", False)
    module = ModuleType("Nikon_mc_n10")
    module.NikonMCN10Emu = Emulator
    module.DRAIN_OVERALL_TIME_MS = 3000
    monkeypatch.setitem(sys.modules, "Nikon_mc_n10", module)
    return module


def test_presses_reach_it(module):
    remote = NikonUsbControlRemote()
    remote.connect()
    for kind in (ActionKind.LEFT, ActionKind.RIGHT, ActionKind.FN1):
        remote.perform(Action(kind), 0.1)
    remote.heartbeat()
    remote.close()
    assert CALLS == ["init verbose=False", "connect", "left", "right", "fn1", "heartbeat", "close"]
    assert module.DRAIN_OVERALL_TIME_MS == 300


def test_what_it_lacks_is_refused(module):
    remote = NikonUsbControlRemote()
    remote.connect()
    with pytest.raises(Refused, match="fn2"):
        remote.perform(Action(ActionKind.FN2), 0.1)
    remote.close()


def test_its_faults_end_the_connection(module, monkeypatch):
    remote = NikonUsbControlRemote()
    remote.connect()
    monkeypatch.setattr(Emulator, "broken", True)
    with pytest.raises(TransportError, match="multi_left"):
        remote.perform(Action(ActionKind.LEFT), 0.1)
    remote.close()


@pytest.mark.parametrize("interrupt", [False, True])
def test_a_call_that_hangs_is_given_up(module, monkeypatch, interrupt):
    monkeypatch.setattr(nikon_usb_control, "CALL_TIMEOUT", 0.3)
    remote = NikonUsbControlRemote()
    remote.connect()
    hang = threading.Event()
    monkeypatch.setattr(Emulator, "hang", hang)
    if interrupt:
        threading.Timer(0.05, remote.interrupt).start()
    started = time.monotonic()
    with pytest.raises(Interrupted if interrupt else TransportError):
        remote.perform(Action(ActionKind.LEFT), 0.1)
    remote.close()
    assert time.monotonic() - started < 2
    hang.set()


def test_behind_the_link_it_is_reached_again_and_nothing_is_sent_twice(module, monkeypatch):
    link = CameraLink(NikonUsbControlRemote, LinkTiming(0.2, 0.01, 0.05))
    link.start()
    try:
        outcomes = []
        for number, broken in enumerate((False, True, False), 1):
            end = time.monotonic() + 10
            while not link.status.connected:
                assert time.monotonic() < end
                time.sleep(0.002)
            monkeypatch.setattr(Emulator, "broken", broken)
            command = Command(Action(ActionKind.LEFT), time.time_ns(), number)
            link.submit(command)
            assert command.done.wait(10)
            monkeypatch.setattr(Emulator, "broken", False)
            outcomes.append(command.outcome)
            while broken and link.status.reconnects == 0:
                assert time.monotonic() < end
                time.sleep(0.002)
        assert outcomes[0] == outcomes[2] == "" and "No such device" in outcomes[1]
        assert CALLS.count("left") == 3 and CALLS.count("connect") == 2
        assert (link.status.sent, link.status.failed, link.status.reconnects) == (2, 1, 1)
    finally:
        link.close()
    assert CALLS[-1] == "close"


def test_its_absence_is_said():
    with pytest.raises(TransportError, match="not installed"):
        NikonUsbControlRemote().connect()
