"""The virtual camera's answers, operation by operation."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.types import ActionKind
from face_af_sim.virtual_z8 import FaultKind, VirtualZ8, remote_codes
from face_af_sim.virtual_z8.recording import JPEG, RecordingBody
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.ptp import (
    DataType,
    DeviceInfo,
    Event,
    LiveViewHeader,
    ObjectInfo,
    PropertyDescription,
    Reader,
    StorageInfo,
    Writer,
    decode_events,
    decode_events_ex,
)
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import ResponseCode as Rc


@pytest.fixture
def body():
    return RecordingBody()


@pytest.fixture
def camera(body):
    camera = VirtualZ8(body)
    assert camera.handle(Op.OPEN_SESSION, 0, (1,)).code == Rc.OK
    return camera


def test_it_is_a_z8(camera):
    info = DeviceInfo.decode(camera.handle(Op.GET_DEVICE_INFO, 0).data)
    assert (info.manufacturer, info.model) == ("Nikon Corporation", "Z 8")
    assert info.serial.startswith("SIM"), "nobody must take it for a real one"
    assert {Op.NIKON_GET_EVENT_EX, Op.NIKON_CHANGE_AF_AREA, 0x9535} <= set(info.operations)


def test_sessions():
    camera = VirtualZ8(RecordingBody())
    assert camera.handle(Op.GET_DEVICE_INFO, 0).code == Rc.OK
    assert camera.handle(Op.NIKON_DEVICE_READY, 1).code == Rc.SESSION_NOT_OPEN
    assert camera.handle(Op.OPEN_SESSION, 0, (0,)).code == Rc.INVALID_PARAMETER
    assert camera.handle(Op.OPEN_SESSION, 0, (5,)).code == Rc.OK
    assert camera.handle(Op.OPEN_SESSION, 0, (6,)).code == Rc.SESSION_ALREADY_OPEN
    assert camera.handle(Op.CLOSE_SESSION, 1).code == Rc.OK
    assert camera.handle(Op.CLOSE_SESSION, 2).code == Rc.SESSION_NOT_OPEN


def test_unknown_operations_and_the_forbidden_transaction_id(camera):
    assert camera.handle(0x952B, 1).code == Rc.OPERATION_NOT_SUPPORTED
    assert camera.handle(Op.NIKON_DEVICE_READY, 0xFFFFFFFF).code == Rc.INVALID_TRANSACTION_ID


def test_every_property_has_a_description_and_a_value(camera):
    listed = Reader(camera.handle(Op.NIKON_GET_PROPERTY_LIST_EX, 1, (0x0D,)).data).array(DataType.UINT32)
    assert 0x1D005 in listed and 0x5001 in listed
    for code in listed:
        wide = code > 0xFFFF
        description = PropertyDescription.decode(camera.handle(Op.GET_DEVICE_PROP_DESC, 1, (code,)).data, wide)
        value = Reader(camera.handle(Op.GET_DEVICE_PROP_VALUE, 1, (code,)).data).value(description.type)
        assert description.code == code and description.value == value
        assert description.allows(value) and description.allows(description.default)


@pytest.mark.parametrize(
    ("code", "data", "answer"),
    [
        (0x500F, Writer().u16(800).done(), Rc.OK),
        (0x500F, Writer().u16(801).done(), Rc.INVALID_DEVICE_PROP_VALUE),
        (0x500F, b"\x01", Rc.INVALID_DEVICE_PROP_FORMAT),
        (0x500F, b"\x20\x03\x00", Rc.INVALID_DEVICE_PROP_FORMAT),
        (0x5001, b"\x01", Rc.ACCESS_DENIED),
        (0x5FFF, b"\x01", Rc.DEVICE_PROP_NOT_SUPPORTED),
    ],
)
def test_setting_properties(camera, code, data, answer):
    assert camera.handle(Op.SET_DEVICE_PROP_VALUE, 1, (code,), data).code == answer


def test_events_of_both_kinds(camera):
    camera.set_property(0xD061, 0)
    assert decode_events_ex(camera.handle(Op.NIKON_GET_EVENT_EX, 1).data) == (Event(0x4006, (0xD061,)),)
    camera.set_property(0xD061, 1)
    assert decode_events(camera.handle(Op.NIKON_GET_EVENT, 2).data) == (Event(0x4006, (0xD061,)),)
    assert decode_events(camera.handle(Op.NIKON_GET_EVENT, 3).data) == ()


def ready(camera) -> int:
    for _ in range(10):
        code = camera.handle(Op.NIKON_DEVICE_READY, 1).code
        if code != Rc.DEVICE_BUSY:
            return code
    raise AssertionError("never ready")


def test_live_view(camera, body):
    assert camera.handle(Op.NIKON_GET_LIVE_VIEW_IMAGE_EX, 1).code == Rc.NIKON_NOT_LIVE_VIEW
    camera.handle(Op.NIKON_START_LIVE_VIEW, 2)
    assert ready(camera) == Rc.OK
    data = camera.handle(Op.NIKON_GET_LIVE_VIEW_IMAGE_EX, 3).data
    header = LiveViewHeader.decode(data)
    assert data[header.info_size :] == JPEG
    assert header.image == (640, 360) and header.whole == (7680, 4320)
    assert (header.af_result, header.selected, header.tracking) == (2, 2, True)
    assert [(b.width, b.center_x) for b in header.boxes] == [(720, 2760), (480, 360), (720, 2760)]
    body.view = None
    assert camera.handle(Op.NIKON_GET_LIVE_VIEW_IMAGE_EX, 4).code == Rc.DEVICE_BUSY
    camera.handle(Op.NIKON_END_LIVE_VIEW, 5)
    assert camera.handle(Op.NIKON_GET_LIVE_VIEW_IMAGE_EX, 6).code == Rc.NIKON_NOT_LIVE_VIEW


def test_the_af_area_lies_in_the_space_of_the_header(camera, body):
    assert camera.handle(Op.NIKON_CHANGE_AF_AREA, 1, (1, 1)).code == Rc.NIKON_NOT_LIVE_VIEW
    camera.handle(Op.NIKON_START_LIVE_VIEW, 2)
    assert camera.handle(Op.NIKON_CHANGE_AF_AREA, 3, (1920, 3240)).code == Rc.OK
    assert body.areas == [(0.25, 0.75)]
    assert camera.handle(Op.NIKON_CHANGE_AF_AREA, 4, (7680, 0)).code == Rc.INVALID_PARAMETER
    assert camera.handle(Op.NIKON_CHANGE_AF_AREA, 5, (1,)).code == Rc.INVALID_PARAMETER


@pytest.mark.parametrize(("can_focus", "outcome"), [(True, Rc.OK), (False, Rc.NIKON_OUT_OF_FOCUS)])
def test_af_drive_is_taken_first_and_has_an_outcome_later(camera, body, can_focus, outcome):
    body.can_focus = can_focus
    assert camera.handle(Op.NIKON_AF_DRIVE, 1).code == Rc.OK
    assert camera.handle(Op.NIKON_DEVICE_READY, 2).code == Rc.DEVICE_BUSY
    assert ready(camera) == outcome


def test_capture_to_card_and_memory(camera):
    assert camera.handle(Op.NIKON_INITIATE_CAPTURE_IN_MEDIA, 1, (0xFFFFFFFF, 0)).code == Rc.OK
    assert ready(camera) == Rc.OK
    assert camera.handle(Op.NIKON_INITIATE_CAPTURE_IN_MEDIA, 2, (0xFFFFFFFE, 1)).code == Rc.OK
    events = decode_events_ex(camera.handle(Op.NIKON_GET_EVENT_EX, 3).data)
    assert [event.code for event in events] == [0x4002, 0x400D, 0xC101, 0x400D]
    card, memory = events[0].params[0], events[2].params[0]
    assert Reader(camera.handle(Op.GET_OBJECT_HANDLES, 4, (0xFFFFFFFF,)).data).array(DataType.UINT32) == (card,)
    for handle in (card, memory):
        info = ObjectInfo.decode(camera.handle(Op.GET_OBJECT_INFO, 5, (handle,)).data)
        assert info.size == len(JPEG) and info.filename.endswith(".JPG")
        assert camera.handle(Op.GET_OBJECT, 6, (handle,)).data == JPEG
        assert camera.handle(Op.GET_PARTIAL_OBJECT, 7, (handle, 2, 10)).data == JPEG[2:12]
        assert camera.handle(Op.DELETE_OBJECT, 8, (handle,)).code == Rc.OK
        assert camera.handle(Op.GET_OBJECT, 9, (handle,)).code == Rc.INVALID_OBJECT_HANDLE
    assert StorageInfo.decode(camera.handle(Op.GET_STORAGE_INFO, 10, (0x00010001,)).data).label == "NIKON Z 8"


def test_the_remote_grip(camera, body):
    button = remote_codes.BUTTON
    assert camera.handle(button, 1, (1, 1)).code == Rc.NIKON_INVALID_STATUS, "not attached yet"
    assert camera.handle(remote_codes.ATTACH, 2, (1,)).code == Rc.OK
    for number in range(1, 7):
        assert camera.handle(button, 3, (number, 1)).code == Rc.OK
        assert camera.handle(button, 4, (number, 0)).code == Rc.OK
    assert [kind for _, kind in body.presses] == [ActionKind(n) for n in range(1, 7)]
    for wrong in ((0, 1), (7, 1), (1, 2), (1,), ()):
        assert camera.handle(button, 5, wrong).code == Rc.INVALID_PARAMETER
    assert len(body.presses) == 6


def test_the_shipped_profile_speaks_these_codes(camera, body):
    profile = load_profile("virtual_z8", Path(__file__).parents[3] / "config" / "remote")
    for kind, button in profile.buttons.items():
        for step in (*profile.init, *button.press, *button.release, *profile.heartbeats[0].steps):
            assert camera.handle(step.operation, 1, step.params, step.data or b"").code == Rc.OK
        assert body.presses.pop()[1] == kind and not body.presses
    assert camera.heartbeats == 6


def test_faults_happen_as_often_and_where_they_shall(camera, body):
    camera.handle(remote_codes.ATTACH, 1, (1,))
    camera.faults.inject(FaultKind.BUSY, count=2, operation=remote_codes.BUTTON)
    camera.faults.inject(FaultKind.LOST_PRESS)
    codes = [camera.handle(remote_codes.BUTTON, n, (1, 1)).code for n in range(4)]
    assert codes == [Rc.DEVICE_BUSY, Rc.DEVICE_BUSY, Rc.OK, Rc.OK]
    assert len(body.presses) == 1 and camera.faults.happened == 3 and not camera.faults.pending


@given(
    st.integers(0, 0xFFFF) | st.sampled_from(sorted(VirtualZ8(RecordingBody()).info.operations)),
    st.integers(0, 0xFFFFFFFF),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=5).map(tuple),
    st.binary(max_size=50),
)
def test_no_request_breaks_it(operation, transaction, params, data):
    camera = VirtualZ8(RecordingBody())
    camera.handle(Op.OPEN_SESSION, 0, (1,))
    answer = camera.handle(operation, transaction, params, data)
    assert 0x2001 <= answer.code <= 0xA2FF
    assert camera.handle(Op.GET_DEVICE_INFO, 1).code == Rc.OK
