"""The driver's sessions with the virtual Z8, over both transports, with everything that goes wrong."""

from __future__ import annotations

import threading
import time

import pytest
from virtual_z8_rig import until

from face_af_sim.virtual_z8 import FaultKind
from face_af_sim.virtual_z8.properties import LIVE_VIEW_SELECTOR
from nikon_mcn10_driver import session as session_module
from nikon_mcn10_driver.af_area import AfArea
from nikon_mcn10_driver.params import AfAreaParams
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import PropertyCode
from nikon_mcn10_driver.ptp import ResponseCode as Rc
from nikon_mcn10_driver.session import EventMerger, Session
from nikon_mcn10_driver.transport import DeviceGone, Interrupted, TransportError


@pytest.fixture
def session(rig):
    session = Session(rig.transport())
    session.open()
    yield session
    session.close()


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
    assert rig.camera.session_id not in (0, 1)
    session.close()


def test_a_busy_camera_is_waited_for_within_the_budget(rig, session):
    rig.faults.inject(FaultKind.BUSY, count=3, operation=Op.NIKON_MF_DRIVE)
    session.run(Op.NIKON_START_LIVE_VIEW)
    session.run(Op.NIKON_MF_DRIVE, 1, 100, busy_budget=1.0)
    rig.faults.inject(FaultKind.BUSY, count=10**6, operation=Op.NIKON_MF_DRIVE)
    with pytest.raises(session_module.PtpError, match="DEVICE_BUSY"):
        session.run(Op.NIKON_MF_DRIVE, 1, 100, busy_budget=0.2)
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
    try:
        code = session.transact(Op.NIKON_DEVICE_READY, timeout=0.3).code
    except TransportError as error:
        assert "0.3 s" in str(error) and rig.kind == "ptpip"
    else:
        assert code == Rc.TRANSACTION_CANCELLED and rig.kind == "usb"
        assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK, "cancelled, and the connection holds"


def test_interrupting_ends_a_wait_at_once(rig, session):
    rig.faults.inject(FaultKind.SILENCE, operation=Op.NIKON_DEVICE_READY)
    threading.Timer(0.1, session.interrupt).start()
    with pytest.raises(Interrupted):
        session.transact(Op.NIKON_DEVICE_READY, timeout=60)


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
    until(lambda: got.extend(session.poll_events()) or len(got) >= 2)
    for _ in range(20):  # the second copies would come now
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
