from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from face_af_common.pairing import StampPairer


def test_joins_by_equal_stamp_in_any_order() -> None:
    pairer = StampPairer(("a", "b"))
    assert pairer.add("a", 1, "a1") is None
    assert pairer.add("a", 2, "a2") is None
    assert pairer.add("b", 2, "b2") == {"a": "a2", "b": "b2"}
    assert pairer.dropped == 1
    # 1 is older than what went out already
    assert pairer.add("b", 1, "b1") is None


def test_a_clock_that_jumps_back_starts_anew() -> None:
    pairer = StampPairer(("a",))
    assert pairer.add("a", 10_000_000_000, "late")
    assert pairer.add("a", 1_000, "again") == {"a": "again"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 10**11))))
def test_memory_is_bounded_and_results_are_whole(events: list[tuple[str, int]]) -> None:
    pairer = StampPairer(("a", "b"), depth=5)
    for stream, stamp in events:
        joined = pairer.add(stream, stamp, (stream, stamp))
        if joined is not None:
            assert joined == {"a": ("a", stamp), "b": ("b", stamp)}
        assert len(pairer.waiting) <= 5
