"""YAML from outside: every fault is one line, nothing explodes, nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_common.yaml_files import MAX_BYTES, YamlError, compose, load, parse


def fault(text: str) -> str:
    with pytest.raises(YamlError) as caught:
        parse(text, "my.yaml")
    line = str(caught.value)
    assert "\n" not in line and line.startswith("my.yaml")
    return line


def test_values_are_those_of_yaml() -> None:
    assert parse("a: {b: [1, 2.5, yes, text]}", "x") == {"a": {"b": [1, 2.5, True, "text"]}}
    assert parse("", "x") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: [1, 2\n", "line 3: broken YAML"),
        ("a: &x 1\nb: *x\n", "line 2: broken YAML (aliases (*name) are not allowed)"),
        ("a: 1\nb: 2\na: 3\n", "line 3: broken YAML ('a' stands twice)"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: broken YAML"),
        ("b: 1\na: 2026-02-30", "line 2: broken YAML (a: '2026-02-30' cannot be read as timestamp)"),
        ("a: !!int foo", "line 1: broken YAML (a: 'foo' cannot be read as int)"),
        ("a: !!float foo", "(a: 'foo' cannot be read as float)"),
        ("a: !!bool foo", "(a: 'foo' cannot be read as bool)"),
        ("a: !!timestamp foo", "(a: 'foo' cannot be read as timestamp)"),
        ("a: " + "9" * 400, "(a: '9999"),
        ("a: " + "1:" * 100000 + "1", "line 1"),
        ("? [1, 2]\n: 3", "broken YAML"),
        ("a: \x00", "broken YAML"),
        ("[" * 3000, "my.yaml"),
    ],
)
def test_faults_say_where(text: str, told: str) -> None:
    assert told in fault(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"absent\.yaml: cannot be read"):
        load(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(YamlError, match="cannot be read"):
        load(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(YamlError, match="larger than"):
        load(tmp_path / "large.yaml")
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("fifo", "zero"):
        with pytest.raises(YamlError, match="no regular file"):
            load(tmp_path / f"{name}.yaml")


def test_nodes_know_their_lines() -> None:
    root = compose("a: 1\nb: 2\n", "x")
    assert isinstance(root, yaml.MappingNode) and root.value[1][0].start_mark.line == 1
    with pytest.raises(YamlError):
        compose("a: [", "x")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gives_values_or_one_line(text: str) -> None:
    try:
        parse(text, "x")
    except YamlError as error:
        assert "\n" not in str(error)
