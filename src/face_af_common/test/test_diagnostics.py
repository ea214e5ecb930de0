"""Results are ticked by one thread and counted by another."""

from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip("rclpy")

from face_af_common.diagnostics import Health  # noqa: E402


def test_a_tick_in_the_middle_of_counting_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node("counted", context=context)
    health = Health(node)

    class Ticking(float):
        """A time at whose subtraction another result comes out."""

        def __rsub__(self, now: float) -> float:
            health.tick()
            return float(now) - float(self)

    with monkeypatch.context() as clock:
        began = time.monotonic()
        clock.setattr("face_af_common.diagnostics.time.monotonic", lambda: Ticking(began))
        health.tick()
        health.tick()
    assert health.rate_hz > 0
    node.destroy_node()
    rclpy.shutdown(context=context)
