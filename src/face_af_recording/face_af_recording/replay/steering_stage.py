"""The steering node's core on recorded frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from face_af_common.node_params import NODES
from face_af_common.orientation import Orientation
from face_af_common.params import build

from ..bag.bag_folder import RecordingError
from .frames import Frame


class Steering:
    """Decisions on frames that have faces and boxes, by the recipe where there is one.

    ``orientations``: how the frames are turned, each from a stamp on, in order.
    """

    def __init__(self, params: Mapping[str, Any], orientations: Sequence[tuple[int, Orientation]] = ()) -> None:
        from face_af_steering.engine import SteeringEngine
        from face_af_steering.recipe import RecipeError

        value: Any = build(NODES["steering"], params)
        try:
            self._engine = SteeringEngine(value)
        except RecipeError as error:
            raise RecordingError(str(error)) from error
        self._orientations = deque(orientations)

    def __call__(self, frame: Frame) -> None:
        if frame.faces is None or frame.boxes is None:
            return
        while self._orientations and self._orientations[0][0] <= frame.stamp_ns:
            self._engine.turn(self._orientations.popleft()[1])
        engine, now = self._engine, frame.stamp_ns * 1e-9
        engine.speaking = frame.speaking
        frame.actions = engine.update(now, frame.faces, frame.boxes, frame.target, frame.size)
        frame.status, frame.reason = engine.planner.status, engine.planner.reason
        frame.steering_target = engine.target
