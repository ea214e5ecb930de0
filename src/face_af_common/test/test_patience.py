"""Nobody waits for ever, and nothing gathers."""

from __future__ import annotations

import threading

import pytest

from face_af_common.patience import ImpatientError, Patience


def test_results_and_errors_come_through() -> None:
    patience: Patience[int] = Patience(60.0)
    assert patience(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        patience(lambda: 1 // 0)
    assert patience(lambda: 4) == 4


def test_what_never_ends_is_given_up_and_is_begun_once_only() -> None:
    patience: Patience[bool] = Patience(0.0)
    over, begun = threading.Event(), []

    def stuck() -> bool:
        begun.append(threading.current_thread())
        return over.wait(60.0)

    for _ in range(5):
        with pytest.raises(ImpatientError):
            patience(stuck)
    over.set()
    begun[0].join()
    assert len(begun) == 1
    patience.seconds = 60.0
    assert patience(stuck)  # and when it has ended, the next one has its turn
