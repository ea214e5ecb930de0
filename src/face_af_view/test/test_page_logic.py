"""Pairing, origins, pacing, the protocol and scenes: no server, no ROS."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from hypothesis import given
from hypothesis import strategies as st

from face_af_view.page import pairing as p
from face_af_view.page import protocol, status
from face_af_view.page.acts import Known
from face_af_view.page.origins import host_allowed, is_loopback, origin_allowed
from face_af_view.page.pacing import LADDER, SLOW_S, START, Pacer
from face_af_view.page.scene import Scene
from face_af_view.page.status import StatusBoard


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def wrong(pin: str) -> str:
    return f"{(int(pin) + 1) % 1_000_000:06d}"


def test_the_right_pin_makes_a_device_known_for_a_month(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "page" / "devices.json"
    pairing = p.Pairing(file, clock)
    assert pairing.pair(wrong(pairing.pin), "phone") is None
    token, device = pairing.pair(pairing.pin, "phone") or ("", None)
    assert device is not None and device.role == p.FULL
    again = p.Pairing(file, clock)
    assert again.device(token) == device
    assert again.pin != pairing.pin or pairing.pin  # a new PIN each time; equal once in a million
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert token not in file.read_text()
    clock.now += (p.DEVICE_DAYS + 1) * 86400
    assert again.device(token) is None and again.devices == []


def test_a_device_that_is_thrown_out_is_nobody(tmp_path: Path) -> None:
    pairing = p.Pairing(tmp_path / "devices.json")
    token, device = pairing.pair(pairing.pin, "phone") or ("", None)
    assert device is not None
    assert pairing.throw_out(device.id) and not pairing.throw_out(device.id)
    assert pairing.device(token) is None and p.Pairing(tmp_path / "devices.json").devices == []


def test_a_link_for_a_viewer_serves_once_and_for_a_day() -> None:
    clock = Clock()
    pairing = p.Pairing(None, clock)
    link, late = pairing.view_link(), pairing.view_link()
    paired = pairing.pair_viewer(link, "guest")
    assert paired is not None and paired[1].role == p.VIEW
    assert pairing.pair_viewer(link, "guest") is None
    clock.now += 86401
    assert pairing.pair_viewer(late, "guest") is None


@pytest.mark.parametrize("content", ["", "[]x", "{}", '[{"id": 1}]', "[[]]", '[{"id":"a","name":"b","role":"root"}]'])
def test_a_damaged_list_of_devices_pairs_nobody(tmp_path: Path, content: str) -> None:
    file = tmp_path / "devices.json"
    file.write_text(content)
    pairing = p.Pairing(file)
    assert pairing.devices == []
    assert (pairing.problem == "") == (content == "{}")


def test_five_wrong_tries_a_minute_and_twenty_of_all() -> None:
    clock = Clock()
    limiter = p.Limiter(clock)
    for _ in range(p.TRIES):
        assert limiter.wait_s("a") == 0
        limiter.failed("a")
    assert 0 < limiter.wait_s("a") <= 60 and limiter.wait_s("b") == 0
    for number in range(p.TRIES_OF_ALL):
        limiter.failed(str(number))
    assert limiter.wait_s("new") > 0
    clock.now += 60.1
    assert limiter.wait_s("a") == limiter.wait_s("new") == 0


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost:8443", True),
        ("127.0.0.1:8443", True),
        ("[::1]:8443", True),
        ("192.168.1.20:8443", True),
        ("face-af.local", True),
        ("FACE-AF.local.:1", True),
        ("evil.example", False),
        ("face-af.local.evil.example", False),
        ("", False),
        ("[", False),
    ],
)
def test_only_names_of_this_machine_are_answered(host: str, allowed: bool) -> None:
    assert host_allowed(host, ["localhost", "face-af.local"]) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://10.0.0.1:8443", True),
        (None, True),
        ("http://10.0.0.1:8443", False),
        ("https://10.0.0.1", False),
        ("https://evil.example", False),
        ("null", False),
        ("https://[", False),
    ],
)
def test_orders_come_from_the_page_itself(origin: str | None, allowed: bool) -> None:
    assert origin_allowed(origin, "10.0.0.1:8443", "https") is allowed


def test_loopback_is_told_from_networks() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("192.168.1.2") and not is_loopback("stage.local")


# -- pacing ------------------------------------------------------------------------------------------------------------


def deliver(pacer: Pacer, took: float, seconds: float, now: float = 0.0) -> float:
    end = now + seconds
    while now < end:
        number = pacer.sent(now)
        assert not pacer.ready
        now += took
        assert pacer.drawn(number, now) == pytest.approx(took)
    return now


def test_a_slow_line_gets_smaller_frames_and_a_quick_one_larger_ones_again() -> None:
    pacer = Pacer()
    pacer.wanted_width = 4000
    assert pacer.rung == LADDER[START]
    now = deliver(pacer, SLOW_S * 1.5, 20.0)
    assert pacer.rung == LADDER[-1]
    deliver(pacer, 0.01, 60.0, now)
    assert pacer.rung == LADDER[0]


def test_a_line_at_its_limit_does_not_swing() -> None:
    pacer = Pacer()
    pacer.wanted_width = 4000
    now, changes, before = 0.0, 0, pacer.rung
    while now < 60.0:
        number = pacer.sent(now)
        now += 0.3 if pacer.rung == LADDER[0] else 0.02
        pacer.drawn(number, now)
        changes += pacer.rung != before
        before = pacer.rung
    assert changes <= 6


def test_only_the_frame_on_its_way_counts() -> None:
    pacer = Pacer()
    number = pacer.sent(0.0)
    assert pacer.drawn(number + 1, 0.1) is None and not pacer.ready
    assert pacer.drawn(number, 0.1) is not None and pacer.ready
    assert pacer.drawn(number, 0.2) is None


def test_no_larger_frame_than_the_screen_shows() -> None:
    pacer = Pacer()
    pacer.wanted_width = 500
    assert pacer.rung.width == 640
    pacer.wanted_width = 10
    assert pacer.rung.width == LADDER[-1].width


# -- protocol ----------------------------------------------------------------------------------------------------------


def test_acts_are_checked() -> None:
    act = protocol.parse('{"t":"act","id":3,"act":"focus","x":1,"y":0.5}')
    assert act == protocol.Act(3, "focus", {"x": 1.0, "y": 0.5})
    for bad in (
        "",
        "[]",
        '{"t":"act"}',
        '{"t":"act","id":1,"act":"focus","x":1.5,"y":0}',
        '{"t":"act","id":1,"act":"focus","x":NaN,"y":0}',
        '{"t":"act","id":1,"act":"press","button":"self_destruct"}',
        '{"t":"act","id":1,"act":"target","name":""}',
        '{"t":"act","id":1,"act":"target","name":7}',
        '{"t":"act","id":1,"act":"record","on":1}',
        '{"t":"act","id":1,"act":"target","name":"\\ud800"}',
        '{"t":"act","id":1,"act":"target","name":"a\\u0000b"}',
        '{"t":"act","id":true,"act":"pause"}',
        '{"t":"act","id":1,"act":["pause"]}',
        '{"t":"act","id":1,"act":"__init__"}',
        "[" * 3000,
        '{"t":"act","id":1,"act":"target","name":"' + "x" * 5000 + '"}',
    ):
        with pytest.raises(protocol.ProtocolError):
            protocol.parse(bad)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
    )
)
def test_whatever_a_page_sends_is_an_act_or_one_line(value: object) -> None:
    for message in (value, {"t": "act", "id": 1, "act": value}, {"t": "view", "width": value, "looking": value}):
        try:
            protocol.parse(json.dumps(message))
        except protocol.ProtocolError as error:
            assert "\n" not in str(error)


def test_a_frame_says_what_it_is() -> None:
    data = protocol.frame(7, 1920, 1080, 0.25, 1_700_000_000_123_456_789, b"jpeg")
    assert len(data) == 24 + 4 and data[24:] == b"jpeg"
    assert protocol._FRAME.unpack(data[:24]) == (7, 1920, 1080, 0.25, 1_700_000_000_123_456)


def test_messages_are_json_that_browsers_read() -> None:
    assert json.loads(protocol.text("x", a=math.nan, b=[math.inf, 1.5], c={"ä": "ö"})) == {
        "t": "x",
        "a": None,
        "b": [None, 1.5],
        "c": {"ä": "ö"},
    }


# -- scenes ------------------------------------------------------------------------------------------------------------


def test_a_scene_waits_for_all_parts_of_a_frame() -> None:
    scene = Scene()
    for part in Scene.PARTS:
        scene.add(part, 1000, part, 0.0)
    assert scene.take(0.0) is not None
    scene.add("faces", 2000, "new", 0.03)
    assert scene.take(0.04) is None
    scene.add("boxes", 2000, "new", 0.05)
    scene.add("state", 2000, "new", 0.06)
    assert scene.take(0.06) == {"stamp": 2, "faces": "new", "boxes": "new", "state": "new"}
    assert scene.take(0.07) is None


def test_a_node_that_has_gone_is_not_waited_for_and_not_shown() -> None:
    scene = Scene()
    for part in Scene.PARTS:
        scene.add(part, 1000, part, 0.0)
    scene.take(0.0)
    scene.add("faces", 2000, "new", 0.5)
    assert scene.take(0.5) is None
    assert scene.take(0.6) is not None  # the others may be slow
    scene.add("faces", 3000, "newer", 2.0)
    assert scene.take(2.0) == {"stamp": 3, "faces": "newer"}


@pytest.mark.parametrize(
    "text", ["[" * 1000, "!!int foo", "!!timestamp x", "2026-02-30", "&a [*a]", "1" * 400, "\0", "{"]
)
def test_what_a_page_types_for_a_parameter_ends_nothing(text: str) -> None:
    pytest.importorskip("rclpy")
    from rcl_interfaces.msg import ParameterType

    from face_af_view.page.acts import ActError
    from face_af_view.page.graph import parameter_value

    for kind in (ParameterType.PARAMETER_DOUBLE, ParameterType.PARAMETER_INTEGER, ParameterType.PARAMETER_BOOL):
        with pytest.raises(ActError, match="does not fit"):
            parameter_value("min_interval_s", kind, text)


def report(name: str, message: str = "") -> DiagnosticArray:
    return DiagnosticArray(status=[DiagnosticStatus(name=name, level=b"\1", message=message)])


def test_strangers_reports_neither_fill_the_status_nor_keep_nodes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(status.time, "monotonic", clock)
    board = StatusBoard("/face_af")
    for number in range(500):
        board.on_diagnostics(report(f"{number}" + "x" * 100_000, "y" * 100_000))
    assert len(json.dumps(board.status(clock.now, False, Known()))) < 50_000
    clock.now += 10.0
    board.on_diagnostics(report("face_af/steering", "working"))
    assert board.status(clock.now, False, Known())["nodes"] == ["steering"]
