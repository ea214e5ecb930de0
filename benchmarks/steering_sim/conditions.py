"""Other conditions than those the planner was tuned for: what a judge, another camera or a busy machine may bring."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .numbers import CameraNumbers, OwnMoves
from .stream import AT_ONCE, StreamNumbers


@dataclass(frozen=True)
class Conditions:
    """Changes of the numbers that a scenario draws. ``camera``: fields of :class:`CameraNumbers`."""

    name: str = "as drawn"
    fps: float = 30.0
    camera: Mapping[str, Any] = field(default_factory=dict)
    stream: StreamNumbers = AT_ONCE

    def changed(self, numbers: CameraNumbers) -> CameraNumbers:
        return dataclasses.replace(numbers, **self.camera)


AS_DRAWN = Conditions()
_GRAPH = StreamNumbers(period_s=(0.043, 0.05), latency_s=(0.1, 0.15), stall_every_s=3.0)
_BUSY_GRAPH = StreamNumbers(period_s=(0.05, 0.12), latency_s=(0.1, 0.3), stall_every_s=2.0)

ROBUSTNESS: tuple[Conditions, ...] = (
    AS_DRAWN,
    Conditions("15 frames/s", 15.0),
    Conditions("20 frames/s", 20.0),
    Conditions("60 frames/s", 60.0),
    Conditions("lag 1 frame", camera={"lag_frames": 1}),
    Conditions("lag 2 frames", camera={"lag_frames": 2}),
    Conditions("lag 5 frames", camera={"lag_frames": 5}),
    Conditions("lag 6 frames", camera={"lag_frames": 6}),
    Conditions("answers in 70 ms", camera={"response_s": 0.07}),
    Conditions("answers in 600 ms", camera={"response_s": 0.6}),
    Conditions("uneven answers", camera={"jitter": 0.6}),
    Conditions("no press lost", camera={"loss": 0.0}),
    Conditions("30 % lost", camera={"loss": 0.3}),
    Conditions("queues presses", camera={"busy_ignores": False, "settle_s": 0.0}),
    Conditions("deaf 0.15 s", camera={"busy_ignores": True, "settle_s": 0.15}),
    Conditions("moves every 8 s", camera={"own_moves": (OwnMoves("any", 8.0),)}),
    Conditions("5 % misread", camera={"misread": 0.05}),
    Conditions("boxes missing", camera={"missing_every_s": 1.0}),
    Conditions("names missing", camera={"name_miss": 0.15}),
    Conditions("30 % of frames lost", stream=StreamNumbers(drop=0.3)),
    Conditions("real graph", camera={"missing_every_s": 2.0, "name_miss": 0.05}, stream=_GRAPH),
    Conditions("real graph, busy", camera={"missing_every_s": 2.0, "name_miss": 0.08}, stream=_BUSY_GRAPH),
)
"""One change at a time, then those of a graph of real nodes on two cores."""
