"""How patiently a child is started again."""

from __future__ import annotations

from face_af_common.liveness import HANG_S
from face_af_common.supervisor import Patience


def test_who_dies_again_and_again_waits_longer_and_longer() -> None:
    patience = Patience()
    assert patience.hang_s == HANG_S
    assert [patience.after(0.5) for _ in range(7)] == [0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert patience.after(20.0) == 0.0, "after a longer life everything is forgiven"
    assert patience.hang_s == 2 * HANG_S, "it may only be slow"
    assert patience.after(0.5) == 1.0
