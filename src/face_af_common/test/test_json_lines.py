"""A line that was cut off or changed is told from a whole one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.json_lines import line, parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
ENTRIES = st.dictionaries(st.text().filter(lambda key: key != "check"), JSON, max_size=4)


@given(ENTRIES)
def test_what_was_written_is_read(entry: dict[str, Any]) -> None:
    text = line(entry)
    assert text.count("\n") == 1 and parsed(text) == entry


@given(ENTRIES, st.data())
def test_a_cut_or_changed_line_is_not_believed(entry: dict[str, Any], data: st.DataObject) -> None:
    text = line(entry)
    at = data.draw(st.integers(0, len(text) - 2))
    assert parsed(text[:at]) is None
    changed = text[:at] + data.draw(st.characters().filter(lambda other: other != text[at])) + text[at + 1 :]
    assert parsed(changed) in (None, entry)  # a space more, or another way to write the same


@pytest.mark.parametrize("text", ["", "[" * 100_000, "3", "[]", '["check"]', json.dumps({"a": 1}), '{"check": 0}'])
def test_what_is_no_line_of_ours(text: str) -> None:
    assert parsed(text) is None
