from __future__ import annotations

import threading
import time

import pytest

from face_af_common import flow as module
from face_af_common.flow import FlowControl


def test_nobody_is_waited_for_who_has_never_answered() -> None:
    flow = FlowControl(2)
    for stamp in range(10):
        assert flow.free
        flow.sent(stamp)


def test_the_slowest_reader_decides() -> None:
    flow = FlowControl(2)
    flow.sent(1)
    flow.answered("faces", 1)
    flow.answered("af_overlay", 1)
    for stamp in (2, 3):
        assert flow.free
        flow.sent(stamp)
    assert not flow.free
    flow.answered("faces", 3)
    assert not flow.free
    flow.answered("af_overlay", 2)
    assert flow.free


def test_a_lost_picture_is_answered_by_the_next_one() -> None:
    flow = FlowControl(2)
    flow.answered("faces", 0)
    flow.sent(1)
    flow.sent(2)
    flow.answered("faces", 2)
    assert flow.free


def test_a_reader_that_is_gone_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.02)
    flow = FlowControl(1)
    flow.answered("faces", 0)
    flow.sent(1)
    time.sleep(0.03)
    assert flow.free


def test_no_limit() -> None:
    flow = FlowControl(0)
    flow.answered("faces", 0)
    flow.sent(1)
    assert flow.free


def test_waiting_ends_with_the_answer() -> None:
    flow = FlowControl(1)
    flow.answered("faces", 0)
    flow.sent(1)
    assert not flow.wait(0.01)
    timer = threading.Timer(0.05, flow.answered, ("faces", 1))
    timer.start()
    assert flow.wait(5.0)
    timer.join()
