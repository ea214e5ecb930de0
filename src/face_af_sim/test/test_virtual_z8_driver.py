"""The driver against the virtual Z8, over both transports, with everything that goes wrong."""

from __future__ import annotations

import gc
import random
import threading
import time
from pathlib import Path

import pytest

from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import FaultKind, PtpIpServer, VirtualZ8, remote_codes
from face_af_sim.virtual_z8.properties import LIVE_VIEW_SELECTOR
from face_af_sim.virtual_z8.recording import RecordingBody
from face_af_sim.virtual_z8.usb_backend import VirtualUsbBackend
from face_af_sim.virtual_z8.usb_device import VirtualUsbDevice
from nikon_mcn10_driver import session as session_module
from nikon_mcn10_driver.af_area import AfArea
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.params import AfAreaParams
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import PropertyCode
from nikon_mcn10_driver.ptp import ResponseCode as Rc
from nikon_mcn10_driver.remote import PtpRemote, Refused
from nikon_mcn10_driver.session import EventMerger, Session
from nikon_mcn10_driver.transport import DeviceGone, Interrupted, Transport, TransportError
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport
from nikon_mcn10_driver.transport.usb import UsbTransport

PROFILE = load_profile("virtual_z8", Path(__file__).parents[3] / "config" / "remote")
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


class Rig:
    """A virtual camera on one of the transports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.body = RecordingBody()
        self.camera = VirtualZ8(self.body)
        self.faults = self.camera.faults
        if kind == "usb":
            self.device = VirtualUsbDevice(self.camera)
            self.backend = VirtualUsbBackend(self.device)
        else:
            self.server = PtpIpServer(self.camera, port=0)
            self.server.start()

    def transport(self) -> Transport:
        return (
            UsbTransport(backend=self.backend) if self.kind == "usb" else PtpIpTransport("127.0.0.1", self.server.port)
        )

    def remote(self) -> PtpRemote:
        return PtpRemote(self.transport(), PROFILE)

    def link(self, **timing: float) -> CameraLink:
        link = CameraLink(
            self.remote,
            timing=LinkTiming(**{"max_command_age": 0.2, "reconnect_min": 0.01, "reconnect_max": 0.1, **timing}),
        )
        link.start()
        return link

    def unplug(self) -> None:
        if self.kind == "usb":
            self.device.unplug()
        else:
            self.server.stop()

    def plug(self) -> None:
        if self.kind == "usb":
            self.device.plug()
        else:
            self.server.start()

    def close(self) -> None:
        if self.kind == "ptpip":
            self.server.stop()
        else:
            assert self.backend.open_handles == 0, "a USB handle is left over"
            assert self.device.kernel_driver, "the kernel driver was not given back"


@pytest.fixture(params=["ptpip", "usb"])
def rig(request):
    threads = threading.active_count()
    rig = Rig(request.param)
    yield rig
    rig.close()
    until(lambda: threading.active_count() == threads)


@pytest.fixture
def session(rig):
    session = Session(rig.transport())
    session.open()
    yield session
    session.close()


def until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


def press(link: CameraLink, number: int, action: Action = LEFT) -> Command:
    command = Command(action, time.time_ns(), number)
    link.submit(command)
    assert command.done.wait(10)
    return command


# sessions


def test_the_camera_is_known_after_opening(session):
    assert session.info.model == "Z 8" and session.supports(Op.NIKON_GET_EVENT_EX)
    assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK


def test_data_goes_both_ways(session):
    session.run(Op.SET_DEVICE_PROP_VALUE, 0x500F, data=(800).to_bytes(2, "little"))
    assert session.run(Op.GET_DEVICE_PROP_VALUE, 0x500F).data == (800).to_bytes(2, "little")


def test_a_session_that_is_still_open_is_taken_over(rig):
    rig.faults.inject(FaultKind.SESSION_OPEN)
    session = Session(rig.transport())
    session.open()
    assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK
    session.close()


def test_another_session_id_is_tried_after_a_bad_transaction_id(rig):
    rig.faults.inject(FaultKind.ERROR, count=2, operation=Op.OPEN_SESSION, value=Rc.INVALID_TRANSACTION_ID)
    session = Session(rig.transport())
    session.open()
    assert rig.camera._session not in (0, 1)
    session.close()


def test_a_busy_camera_is_waited_for_within_the_budget(rig, session):
    rig.faults.inject(FaultKind.BUSY, count=3, operation=Op.NIKON_MF_DRIVE)
    session.run(Op.NIKON_START_LIVE_VIEW)
    session.run(Op.NIKON_MF_DRIVE, 1, 100, busy_budget=1.0)
    rig.faults.inject(FaultKind.BUSY, count=10**6, operation=Op.NIKON_MF_DRIVE)
    started = time.monotonic()
    with pytest.raises(session_module.PtpError, match="DEVICE_BUSY"):
        session.run(Op.NIKON_MF_DRIVE, 1, 100, busy_budget=0.2)
    assert time.monotonic() - started < 1.0
    rig.faults.clear()


@pytest.mark.parametrize("kind", [FaultKind.STALE_REPLY, FaultKind.FRAGMENT])
@pytest.mark.parametrize("operation", [Op.GET_DEVICE_INFO, Op.NIKON_DEVICE_READY])
def test_harmless_oddities_are_harmless(rig, session, kind, operation):
    for size in (1, 5, 12, 13, 511, 512):
        rig.faults.inject(kind, value=size)
        assert session.run(operation).code == Rc.OK
    assert not rig.faults.pending


@pytest.mark.parametrize("kind", [FaultKind.FOREIGN_REPLY, FaultKind.GARBAGE])
def test_a_stream_that_makes_no_sense_is_given_up(rig, session, kind):
    rig.faults.inject(kind, value=200)
    with pytest.raises((TransportError, session_module.PtpError)):
        session.run(Op.GET_DEVICE_INFO, timeout=0.5)


def test_silence_ends_in_time(rig, session):
    rig.faults.inject(FaultKind.SILENCE, operation=Op.NIKON_DEVICE_READY)
    started = time.monotonic()
    try:
        code = session.transact(Op.NIKON_DEVICE_READY, timeout=0.3).code
    except TransportError as error:
        assert "0.3 s" in str(error) and rig.kind == "ptpip"
    else:
        assert code == Rc.TRANSACTION_CANCELLED and rig.kind == "usb"
        assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK, "cancelled, and the connection holds"
    assert time.monotonic() - started < 2.0


def test_interrupting_ends_a_wait_at_once(rig, session):
    rig.faults.inject(FaultKind.SILENCE, operation=Op.NIKON_DEVICE_READY)
    threading.Timer(0.1, session.interrupt).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        session.transact(Op.NIKON_DEVICE_READY, timeout=30)
    assert time.monotonic() - started < 1.0


def test_a_camera_that_goes_is_noticed(rig, session):
    rig.unplug()
    with pytest.raises(DeviceGone):
        session.run(Op.NIKON_DEVICE_READY)
    with pytest.raises(DeviceGone):
        Session(rig.transport()).open()
    rig.plug()


def test_events_come_once_from_both_places(rig, session):
    rig.camera.set_property(PropertyCode.NIKON_AF_MODE, 0)
    rig.camera.set_property(PropertyCode.NIKON_AF_MODE, 1)
    got = []
    for _ in range(20):
        got += session.poll_events()
        time.sleep(0.01)
    assert [(event.code, event.params) for event in got] == [(0x4006, (PropertyCode.NIKON_AF_MODE,))] * 2


def test_merging_keeps_repeated_events_of_one_source():
    now = [0.0]
    merger = EventMerger(lambda: now[0])
    event = session_module.Event(0x4006, (1,))
    assert merger.take("channel", [event, event]) == [event, event]
    assert merger.take("polled", [event, event, event]) == [event]
    now[0] = 10.0
    assert merger.take("channel", [event]) == [event], "long after, it is another one"


# the grip and the AF area


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
    assert rig.camera.heartbeats == 0 and not rig.camera._attached
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


@pytest.mark.parametrize(
    ("selector", "movie_mode", "drive", "driven"),
    [
        (1, 2, "auto", 0),
        (1, 1, "auto", 0),
        (1, 0, "auto", 1),
        (0, 2, "auto", 1),
        (1, 2, "always", 1),
        (0, 0, "never", 0),
    ],
)
def test_the_af_area_moves_and_focuses_where_the_mode_needs_it(rig, session, selector, movie_mode, drive, driven):
    rig.camera.set_property(LIVE_VIEW_SELECTOR, selector)
    rig.camera.set_property(PropertyCode.NIKON_MOVIE_AF_MODE, movie_mode)
    area = AfArea(AfAreaParams(drive=drive))
    area.move(session, 0.25, 0.75, 0.2)
    assert rig.body.areas == [(0.25, 0.75)] and rig.body.drives == driven
    for x, y in ((-1.0, 2.0), (1.0, 1.0)):
        area.move(session, x, y, 0.2)
    assert all(0 <= v < 1 for point in rig.body.areas for v in point)


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
    plugged = time.monotonic()
    until(lambda: link.status.connected)
    assert time.monotonic() - plugged < 2.0
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
    link = rig.link()
    until(lambda: link.status.connected)
    time.sleep(1.3)
    assert rig.camera.heartbeats == 2
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
