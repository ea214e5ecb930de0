"""Remote profiles: the shipped ones load, mistakes name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from face_af_common.types import ActionKind
from nikon_mcn10_driver.profile import Profile, ProfileError, Step
from nikon_mcn10_driver.profile_format import format_profile, load_profile, parse_profile

FOLDER = Path(__file__).parents[3] / "config" / "remote"
GOOD = """
origin: a test
match: {models: [Z 8], serial: "^60"}
init: [{operation: 0x9001, params: [1, 2], data: "01 ff", accept: [0x2019], wait: 0.1}, {wait: 0.2}]
heartbeat: {period: 1, steps: [{operation: 0x9002}]}
timing: {hold: 0.03}
buttons: {left: {press: [{operation: 0x9003}]}}
"""


def parse(text: str) -> Profile:
    return parse_profile(yaml.safe_load(text), "test", "test.yaml")


def test_everything_is_read():
    profile = parse(GOOD)
    assert profile.init == (Step(0x9001, (1, 2), b"\x01\xff", (0x2019,), 0.1), Step(None, wait=0.2))
    assert profile.heartbeats[0].period == 1.0 and profile.hold == 0.03
    assert set(profile.buttons) == {ActionKind.LEFT}


def test_a_profile_is_kept_from_other_cameras():
    profile = parse(GOOD)
    assert profile.mismatch("Z 8", "6000123") == ""
    assert "Z 9" in profile.mismatch("Z 9", "6000123")
    assert "7000123" in profile.mismatch("Z 8", "7000123")


def test_the_simulators_profile_never_fits_a_real_camera():
    profile = load_profile("virtual_z8", FOLDER)
    assert profile.mismatch("Z 8", "SIM0000451") == ""
    assert "capture of your own" in profile.mismatch("Z 8", "6001234")
    assert "not Nikon" in profile.origin
    assert set(profile.buttons) == set(ActionKind) - {ActionKind.AF_AREA}


def test_the_template_is_well_formed_and_fits_no_camera():
    profile = load_profile("template", FOLDER)
    assert profile.mismatch("Z 8", "6001234") and profile.mismatch("Z 8", "SIM0000451")


def test_a_path_is_taken_as_a_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    assert load_profile(str(path), FOLDER).name == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("origin: a test", "origin: ''"), "origin"),
        (("timing:", "timings:"), "there is no key timings"),
        (("hold: 0.03", "hold: 50"), "timing.hold"),
        (("operation: 0x9003", "operation: 0x10000"), "buttons.left.press[0].operation"),
        (("operation: 0x9003", "operation: yes"), "buttons.left.press[0].operation"),
        (("operation: 0x9003", "params: [1]"), "buttons.left.press[0]"),
        (("[{operation: 0x9003}]", "[{wait: 0.1}]"), "buttons.left.press has no operation"),
        (("left:", "lift:"), "buttons.lift"),
        (("params: [1, 2]", "params: [1, 2, 3, 4, 5, 6]"), "init[0].params"),
        (("params: [1, 2]", "params: [-1]"), "init[0].params"),
        (("01 ff", "01 f"), "init[0].data"),
        (('"^60"', '"("'), "match.serial"),
        (("[Z 8]", "Z 8"), "match.models"),
        (("buttons: {left: {press: [{operation: 0x9003}]}}", "buttons: {}"), "buttons is empty"),
        (("period: 1", "period: 0"), "heartbeat.period"),
    ],
)
def test_mistakes_are_named(change, words):
    assert change[0] in GOOD
    with pytest.raises(ProfileError) as error:
        parse(GOOD.replace(*change))
    assert words in str(error.value) and str(error.value).startswith("test.yaml: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["- 1", "", "a: [", "\x01"])
def test_files_that_are_no_profile(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ProfileError, match=r"bad\.yaml"):
        load_profile(str(path), FOLDER)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(ProfileError, match="virtual_z8"):
        load_profile("nothing", FOLDER)


FIELDS = """
schema: 2
origin: a test
session: 7
poll_events: false
counters: {seq: {start: 5, step: 2, modulo: 256, lowest: 1}}
heartbeat:
  - {period: 0.3, steps: [{operation: 0x9002, params: [{counter: seq}, {transaction: -3}]}]}
  - {period: 2, idle: false, steps: [{operation: 0x9005}]}
timing: {response: 0.12, spread: 0.01, loss: 0.02, presses: 24}
wrap: true
buttons:
  left:
    press:
      - operation: 0x9003
        params: [1, {echo: 0x9207, offset: 4}, {echo: 0x9208, parameter: 0, add: 1, request: [3]}]
        data:
          - "01 02"
          - {time: ms, start: 5}
          - {counter: seq, advance: false, bytes: 2, order: big}
          - {checksum: crc16_modbus, from: 0, to: 8}
"""


@pytest.mark.parametrize("text", [GOOD, FIELDS])
def test_a_written_profile_reads_back_equal(text):
    profile = parse(text)
    assert parse(format_profile(profile, ["a remark"])) == profile


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (("schema: 2", "schema: 3"), "schema"),
        (("counter: seq}, {tr", "counter: other}, {tr"), "no counter"),
        (("crc16_modbus", "crc17"), "checksum"),
        (("to: 8}", "to: 80}"), "checksum goes to"),
        (("offset: 4}", "offset: 4, parameter: 1}"), "either offset or parameter"),
        (("wrap: true", "wrap: 1"), "wrap"),
        (("time: ms", "time: hours"), "time"),
        (("idle: false", "idle: 0"), "idle"),
    ],
)
def test_mistakes_in_fields_are_named(wrong, part):
    assert wrong[0] in FIELDS
    with pytest.raises(ProfileError, match=part):
        parse(FIELDS.replace(*wrong))
