"""The driver's remote control and link against the virtual Z8, over both transports: presses, losses, returns."""

from __future__ import annotations

import gc
import random
import threading
import time
from pathlib import Path

import pytest
from virtual_z8_rig import PROFILE, until

from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import FaultKind, PtpIpServer, VirtualZ8, remote_codes
from face_af_sim.virtual_z8.recording import RecordingBody
from nikon_mcn10_driver.af_area import AfArea
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.params import AfAreaParams
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import ResponseCode as Rc
from nikon_mcn10_driver.remote import PtpRemote, Refused
from nikon_mcn10_driver.transport import TransportError
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport

LEFT, RIGHT = Action(ActionKind.LEFT), Action(ActionKind.RIGHT)


def test_a_body_that_is_not_paired_is_not_connected():
    server = PtpIpServer(VirtualZ8(RecordingBody(), paired=False), port=0)
    server.start()
    remote = PtpRemote(PtpIpTransport("127.0.0.1", server.port), PROFILE)
    try:
        with pytest.raises(TransportError, match="Z 8 offers only 6 operations: it is not paired with this computer"):
            remote.connect()
        remote.close()
        timing = LinkTiming(max_command_age=1.0, reconnect_min=0.01, reconnect_max=0.05)
        link = CameraLink(lambda: PtpRemote(PtpIpTransport("127.0.0.1", server.port), PROFILE), timing)
        link.start()
        end = time.monotonic() + 5.0
        while not link.status.last_error and time.monotonic() < end:
            time.sleep(0.01)
        assert "not paired" in link.status.last_error and not link.status.connected
        link.close()
    finally:
        remote.close()
        server.stop()


def press(link: CameraLink, number: int, action: Action = LEFT) -> Command:
    command = Command(action, time.time_ns(), number)
    link.submit(command)
    assert command.done.wait(10)
    return command


# the grip


def test_presses_reach_the_body(rig):
    remote = rig.remote()
    identity = remote.connect()
    assert (identity.model, identity.warning) == ("Z 8", "")
    for kind in PROFILE.buttons:
        before = time.monotonic()
        assert before <= remote.perform(Action(kind), 0.2) <= time.monotonic()
    assert [kind for _, kind in rig.body.presses] == list(PROFILE.buttons)
    remote.heartbeat()
    assert rig.camera.heartbeats == 1
    remote.close()


def test_a_real_serial_number_gets_none_of_the_simulators_codes(rig):
    rig.camera.serial = "6001234"
    remote = rig.remote()
    assert "6001234" in remote.connect().warning
    with pytest.raises(Refused, match="capture of your own"):
        remote.perform(LEFT, 0.2)
    remote.heartbeat()
    assert rig.camera.heartbeats == 0 and not rig.camera.attached
    remote.perform(Action(ActionKind.AF_AREA, x=0.5, y=0.5), 0.2)
    assert rig.body.areas == [(0.5, 0.5)]
    remote.close()


def test_a_press_while_busy_is_repeated_and_happens_once(rig):
    remote = rig.remote()
    remote.connect()
    rig.faults.inject(FaultKind.BUSY, count=2, operation=remote_codes.BUTTON)
    remote.perform(LEFT, 0.2)
    rig.faults.inject(FaultKind.BUSY, count=10**6, operation=remote_codes.BUTTON)
    with pytest.raises(Refused, match="DEVICE_BUSY"):
        remote.perform(LEFT, 0.1)
    rig.faults.clear()
    assert len(rig.body.presses) == 1
    remote.close()


def test_out_of_focus_is_a_refusal(rig):
    rig.body.can_focus = False
    remote = PtpRemote(rig.transport(), None, AfArea(AfAreaParams(drive="always")))
    remote.connect()
    with pytest.raises(Refused, match="OUT_OF_FOCUS"):
        remote.perform(Action(ActionKind.AF_AREA, x=0.5, y=0.5), 0.2)
    with pytest.raises(Refused, match="no point"):
        remote.perform(Action(ActionKind.AF_AREA, x=float("nan"), y=0.5), 0.2)
    with pytest.raises(Refused, match="no buttons"):
        remote.perform(LEFT, 0.2)
    remote.close()


# the link


def test_unplugging_costs_only_the_time_it_is_away(rig):
    link = rig.link()
    until(lambda: link.status.connected)
    assert press(link, 1).outcome == ""
    rig.unplug()
    until(lambda: not link.status.connected)
    assert press(link, 2).outcome != ""
    rig.plug()
    until(lambda: link.status.connected)
    assert press(link, 3, RIGHT).outcome == ""
    assert [kind for _, kind in rig.body.presses] == [ActionKind.LEFT, ActionKind.RIGHT]
    assert (link.status.sent, link.status.failed, link.status.reconnects) == (2, 1, 1)
    link.close()


def test_a_camera_that_refuses_at_the_start_is_tried_again(rig):
    rig.faults.inject(FaultKind.ERROR, count=2, operation=Op.GET_DEVICE_INFO, value=Rc.GENERAL_ERROR)
    errors: list[str] = []
    link = CameraLink(rig.remote, LinkTiming(0.2, 0.01, 0.1), on_change=lambda status: errors.append(status.last_error))
    link.start()
    until(lambda: link.status.connected)
    assert {error for error in errors if error} == {
        "GET_DEVICE_INFO (0x1001): the camera answers GENERAL_ERROR (0x2002)"
    }
    link.close()


def test_a_lost_heartbeat_reconnects(rig):
    link = rig.link()
    until(lambda: link.status.connected)
    rig.faults.inject(FaultKind.ERROR, operation=remote_codes.HEARTBEAT, value=Rc.NIKON_INVALID_STATUS)
    until(lambda: link.status.reconnects == 1 and link.status.connected)
    link.close()


def test_heartbeats_come_every_half_second(rig):
    started = time.monotonic()
    link = rig.link()
    until(lambda: rig.camera.heartbeats >= 3)
    assert time.monotonic() - started >= 1.4, "no oftener, however slow the machine is"
    link.close()


def test_many_disconnects_at_random_bytes(rig):
    """Always reconnected; nothing left over; no press twice, none late."""
    rng = random.Random(4)
    gc.collect()
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    link = rig.link(reconnect_min=0.001, reconnect_max=0.02)
    sent = 0
    for cycle in range(1, 41):
        until(lambda: link.status.connected)
        rig.faults.inject(FaultKind.DISCONNECT, value=rng.randrange(600))
        for number in range(20):
            before = len(rig.body.presses)
            command = Command(LEFT, time.time_ns(), cycle * 100 + number)
            link.submit(command)
            assert command.done.wait(10)
            if command.outcome:
                time.sleep(0.002)
            grown = rig.body.presses[before:]
            assert len(grown) == 1 if command.outcome == "" else len(grown) <= 1
            assert all(at - command.received < 0.5 for at, _ in grown)
            sent += command.outcome == ""
            if not rig.faults.pending:
                break
        rig.faults.clear()
        if rig.kind == "usb":
            rig.device.plug()
    until(lambda: link.status.connected)
    assert link.status.sent == sent and link.status.reconnects >= 25
    link.close()
    until(lambda: threading.active_count() == threads)
    gc.collect()
    until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= files)


def test_a_storm_of_everything_is_survived(rig):
    rng = random.Random(7)
    kinds = [kind for kind in FaultKind if kind not in (FaultKind.SILENCE, FaultKind.DISCONNECT, FaultKind.ERROR)]
    link = rig.link(reconnect_min=0.001, reconnect_max=0.02)
    sent = []
    for number in range(1, 71):
        until(lambda: link.status.connected)
        if rng.random() < 0.5:
            rig.faults.inject(rng.choice(kinds), value=rng.randrange(1, 40))
        before = len(rig.body.presses)
        command = press(link, number)
        assert len(rig.body.presses) - before <= 1
        sent.append(command.outcome == "")
    rig.faults.clear()
    until(lambda: link.status.connected)
    assert press(link, 1000).outcome == ""
    assert sum(sent) > 35 and len(rig.body.presses) <= 71
    link.close()
