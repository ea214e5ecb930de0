from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from examples import Params, Range
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.param_files import check_file, to_markdown, to_yaml
from face_af_common.params import ParamError, build, changed, describe, values


@given(st.floats(1, 120), st.integers(0, 10), st.booleans(), st.floats(0, 0.5), st.floats(0.5, 1))
def test_values_and_build_are_inverse(rate: float, count: int, active: bool, low: float, high: float) -> None:
    made = build(Params, {"rate": rate, "count": count, "active": active, "range.low": low, "range.high": high})
    assert build(Params, values(made)) == made


@given(
    st.sampled_from([i.name for i in describe(Params)]),
    st.one_of(st.none(), st.text(), st.floats(), st.lists(st.integers())),
)
def test_any_value_is_taken_or_refused_with_its_name(name: str, value: object) -> None:
    try:
        made = build(Params, {name: value})
    except ParamError as error:
        assert name.rsplit(".", 1)[-1] in str(error)
    else:
        kept = values(made)[name]
        assert list(kept) == list(value) if isinstance(kept, tuple) else kept == value  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rate", "fast", "a number is needed"),
        ("rate", 1000.0, "outside 1.0 to 120.0 Hz"),
        ("rate", math.nan, "not a finite number"),
        ("count", 2.5, "a whole number is needed"),
        ("count", True, "a whole number is needed"),
        ("mode", "up", "none of auto, left"),
        ("size", [1, 2, 3], "2 numbers are needed"),
        ("size", [640, 8], "outside"),
        ("words", "a", "a list is needed"),
        ("range.low", 0.9, "must not exceed"),
        ("ratee", 1.0, "did you mean rate?"),
    ],
)
def test_what_is_wrong_is_said(name: str, value: object, told: str) -> None:
    with pytest.raises(ParamError, match=told.replace("?", r"\?")):
        build(Params, {name: value})


def test_a_whole_number_is_taken_for_a_float() -> None:
    assert build(Params, {"rate": 25}).rate == 25.0


def test_a_refused_change_leaves_the_old_value() -> None:
    params = Params()
    with pytest.raises(ParamError):
        changed(params, {"rate": 60.0, "range.low": 0.9})
    assert params == Params()
    assert changed(params, {"range.low": 0.9, "range.high": 0.95}).range == Range(0.9, 0.95)


def test_the_yaml_file_holds_every_default(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(to_yaml({"node": Params}))
    check_file(path, {"node": Params})
    loaded = yaml.safe_load(path.read_text())["/**/node"]["ros__parameters"]
    assert loaded["range"]["high"] == 0.8
    assert loaded["size"] == [640, 384]
    assert len(to_markdown(Params).splitlines()) == 2 + len(list(describe(Params)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("node: [", "line 1"),
        ("/**/nodee:\n  ros__parameters:\n    rate: 1.0\n", "no node /\\*\\*/nodee"),
        ("/**/node:\n  rate: 1.0\n", "ros__parameters"),
        ("/**/node:\n  ros__parameters:\n    rat: 1.0\n", "did you mean rate"),
        ("/x/node:\n  ros__parameters:\n    range: {low: 7.0}\n", "range.low: 7.0 is outside"),
        ("node:\n  ros__parameters:\n    rate: 1.0\n", r"write /\*\*/node"),
        ("- 1\n", "top level"),
        ("", "top level"),
    ],
)
def test_a_broken_file_is_explained_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ParamError, match=told) as caught:
        check_file(path, {"node": Params})
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_ros_declares_for_every_node_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    override = "qos_overrides: {/a/image_raw: {publisher: {reliability: reliable}}}"
    path.write_text(f"/**/node:\n  ros__parameters:\n    use_sim_time: true\n    {override}\n")
    check_file(path, {"node": Params})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match=r"gone\.yaml: cannot be read"):
        check_file(tmp_path / "gone.yaml", {})
