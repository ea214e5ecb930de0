"""Plays one scenario with one policy and counts what matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from face_af_steering.clock import NEVER
from face_af_steering.planner import Planner, PlannerParams

from .camera import Camera
from .driver import Driver
from .photographer import TARGET, Photographer
from .policies import AllKnowing, Late, Ours, Plain, Policy
from .scenarios import SECONDS, Scenario
from .stream import Stream
from .vision import Vision

POLICIES = ("ours", "plain", "all-knowing", "late")
_GRACE_S = 0.1
"""A press this long after a move of the photographer's (and the image's lag) could not know of it."""
_CAUSE_S = 1.5
"""A yield has a human cause if the photographer's last move is not longer ago."""
_INSISTED = 2
"""Nobody who has brought the same face back so often may be pressed against."""


@dataclass
class Result:
    """What one policy did in one scenario. Outside of wishes and within them are counted apart."""

    scenario: str
    seed: int
    policy: str
    seconds: float = 0.0
    visible_s: float = 0.0
    """Outside of wishes, with the target detected."""
    on_target_s: float = 0.0
    """Of these, with the focus on the target."""
    presses: int = 0
    """Those that reached the camera."""
    dropped: int = 0
    """Those that the driver did not send, because their frame was too old."""
    presses_while_right: int = 0
    wishes: int = 0
    wish_s: float = 0.0
    """Within wishes, with the wanted person detected."""
    fulfilled_s: float = 0.0
    """Of these, with the focus on that person."""
    presses_against: int = 0
    """Presses within wishes."""
    against_insisting: int = 0
    """Of these, after the same face was brought back twice."""
    false_yields: int = 0
    """Yields to a photographer who was not there."""
    fps: float = 30.0
    acquire_frames: list[int] = field(default_factory=list)
    """How long each way to the target took: whole numbers, so that equal times are equal."""
    timeline: list[tuple[int, int, int]] = field(default_factory=list)
    """Only on request, for each frame: selected person (-1 = none), target detected, press (0 = none)."""
    states: list[str] = field(default_factory=list)
    """Likewise, of our planner: status and reason."""
    wish_times: list[tuple[float, float]] = field(default_factory=list)
    """From when to when each wish lasted, seconds."""


PlannerMaker = Callable[[], Planner]


def play(scenario: Scenario, policy_name: str, make_planner: PlannerMaker | None = None, trace: bool = False) -> Result:
    """One policy of :data:`POLICIES` through one scenario; ``make_planner`` makes the one that ``ours`` asks."""
    params = PlannerParams()
    stage, fps = scenario.stage, scenario.stage.fps
    camera = Camera(stage, scenario.numbers, scenario.seed)
    photographer = Photographer(scenario.photographer, SECONDS, scenario.seed)
    policy: Policy
    if policy_name == "ours":
        policy = Ours((make_planner or Planner)())
    elif policy_name == "plain":
        policy = Plain()
    elif policy_name == "late":
        policy = Late(camera, params.confirm_frames, fps)
    else:
        policy = AllKnowing(camera)
    vision = Vision(stage, camera, scenario.like_target, scenario.seed) if policy.looks else None
    driver = Driver(camera)
    stream = Stream(scenario.conditions.stream, SECONDS, scenario.seed)
    result = Result(scenario.name, scenario.seed, policy_name, SECONDS, fps=fps)
    blind = scenario.numbers.lag_frames / fps + scenario.conditions.stream.latency_s[1] + _GRACE_S
    told = yields = 0
    hand_at = insisted_at = NEVER
    waiting_since: int | None = None
    for frame in range(stage.frames):
        t = frame / fps
        camera.step(frame)
        photographer.step(t, camera, camera.changes[told:])
        for change in camera.changes[told:]:
            hand_at = t if change.cause == "hand" else hand_at
        told = len(camera.changes)
        commands = policy.act(t, stream.step(t, *(vision.step(frame) if vision is not None else ([], []))))
        wish, right = photographer.wish, camera.selected == TARGET
        if wish is not None:
            waiting_since = None
            insisted_at = insisted_at if wish.insisted >= _INSISTED else t
            if wish.who in camera.detected:
                result.wish_s += 1 / fps
                result.fulfilled_s += (camera.selected == wish.who) / fps
        elif TARGET in camera.detected:
            result.visible_s += 1 / fps
            result.on_target_s += right / fps
            if right and waiting_since is not None:
                result.acquire_frames.append(frame - waiting_since)
            waiting_since = None if right else (frame if waiting_since is None else waiting_since)
        else:
            waiting_since = None
        for command in commands:
            if not driver.send(t, command):
                policy.not_sent()
                continue
            result.presses += 1
            result.presses_while_right += right and wish is None
            result.presses_against += wish is not None
            result.against_insisting += wish is not None and t - insisted_at > blind
        if isinstance(policy, Ours):
            result.false_yields += policy.planner.yields > yields and t - hand_at > _CAUSE_S
            yields = policy.planner.yields
        if trace:
            selected = -1 if camera.selected is None else camera.selected
            result.timeline.append((selected, int(TARGET in camera.detected), int(commands[0][1]) if commands else 0))
            if isinstance(policy, Ours):
                result.states.append(f"{policy.planner.status.name}: {policy.planner.reason}")
    result.dropped = driver.dropped
    result.wishes = len(photographer.wishes)
    result.wish_times = [(wish.start, wish.end) for wish in photographer.wishes]
    return result
