"""How long one ``update`` of the planner takes, on the fullest stage of the bench."""

from __future__ import annotations

import statistics
import time

from face_af_steering.planner import Planner

from .camera import Camera
from .policies import Ours
from .scenarios import make
from .vision import Vision

_FAMILY, _SEED = "crowd of 15", 3_000_000
"""Neither for tuning nor for judging."""
_FRAMES = 2000


def update_ms() -> dict[str, float]:
    """Processor time of one ``update``, ms, with up to 15 faces and boxes: median, and of the slowest hundredth.

    Measured with the camera answering the presses, so that every branch is met.
    """
    scenario = make(_FAMILY, _SEED)
    camera = Camera(scenario.stage, scenario.numbers, scenario.seed)
    vision = Vision(scenario.stage, camera, scenario.like_target, scenario.seed)
    policy = Ours(Planner())
    times = []
    for frame in range(_FRAMES):
        t = frame / scenario.stage.fps
        camera.step(frame)
        seen = vision.step(frame)
        start = time.thread_time()
        commands = policy.act(t, [(t, *seen)])
        times.append(1e3 * (time.thread_time() - start))
        for _, kind in commands:
            camera.press(t, kind)
    return {"median": statistics.median(times), "p99": sorted(times)[int(0.99 * len(times))]}
