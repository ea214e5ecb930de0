"""The steering node's core on recorded frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from face_af_common.node_params import NODES
from face_af_common.params import build

from ..bag.bag_folder import RecordingError
from .frames import Frame


class Steering:
    """Decisions on frames that have faces and boxes, by the recipe where there is one."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_steering.engine import SteeringEngine
        from face_af_steering.recipe import RecipeError

        value: Any = build(NODES["steering"], params)
        try:
            self._engine = SteeringEngine(value)
        except RecipeError as error:
            raise RecordingError(str(error)) from error

    def __call__(self, frame: Frame) -> None:
        if frame.faces is None or frame.boxes is None:
            return
        engine, now = self._engine, frame.stamp_ns * 1e-9
        frame.actions = engine.update(now, frame.faces, frame.boxes, frame.target, frame.size)
        frame.status, frame.reason = engine.planner.status, engine.planner.reason
        frame.steering_target = engine.target
