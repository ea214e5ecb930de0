"""Plays one scenario with one policy and counts what matters."""

from __future__ import annotations

from dataclasses import dataclass, field

from face_af_steering.planner import PlannerParams

from .camera import Camera, Vision
from .policies import AllKnowing, Late, Ours, Plain, Policy
from .scenarios import SECONDS, Scenario
from .stream import Stream

POLICIES = ("ours", "plain", "all-knowing", "late")
_GRACE_S = 0.1
"""A press this long after a photographer's move (and the picture's lag) could not know of it."""
_CAUSE_S = 1.5
"""A yield has a human cause if the photographer's last move is not longer ago."""


@dataclass
class Result:
    scenario: str
    seed: int
    policy: str
    seconds: float = 0.0
    visible_s: float = 0.0
    on_target_s: float = 0.0
    presses: int = 0
    presses_while_right: int = 0
    overridden: int = 0
    """Presses within ``yield_s`` of a photographer's move."""
    overridden_clear: int = 0
    """Of these, after moves that only a person makes: neither to the largest face nor after a loss."""
    hand_moves: int = 0
    false_yields: int = 0
    """Yields to a photographer who was not there."""
    fps: float = 30.0
    acquire_frames: list[int] = field(default_factory=list)
    """How long each way to the target took: whole numbers, so that equal times are equal."""
    timeline: list[tuple[int, int, int]] = field(default_factory=list)
    """Only on request, for each frame: selected person (-1 = none), target detected, press (0 = none)."""
    states: list[str] = field(default_factory=list)
    """Likewise, of our planner: status and reason."""
    hand_times: list[float] = field(default_factory=list)
    """Moves by the photographer, seconds."""


def play(scenario: Scenario, policy_name: str, params: PlannerParams | None = None, trace: bool = False) -> Result:
    params = params or PlannerParams()
    camera = Camera(scenario.stage, scenario.numbers, scenario.seed)
    vision = Vision(scenario.stage, camera, scenario.like_target, scenario.seed)
    policy: Policy
    if policy_name == "ours":
        policy = Ours(params)
    elif policy_name == "plain":
        policy = Plain()
    elif policy_name == "late":
        policy = Late(camera, params.yield_s, params.confirm_frames)
    else:
        policy = AllKnowing(camera, params.yield_s)
    stage, fps = scenario.stage, scenario.stage.fps
    stream = Stream(scenario.conditions.stream, SECONDS, scenario.seed)
    result = Result(scenario.name, scenario.seed, policy_name, SECONDS, fps=fps)
    blind = scenario.numbers.lag_frames / fps + scenario.conditions.stream.latency_s[1] + _GRACE_S
    hands = list(scenario.hand_times)
    clear = False
    yields = 0
    waiting_since: int | None = None
    for frame in range(stage.frames):
        t = frame / fps
        camera.step(frame)
        if hands and hands[0] <= t:
            hands.pop(0)
            choice = _somebody_else(camera)
            if choice is not None:
                clear = not camera.may_choose(choice)
                camera.hand_move(t, choice)
        kinds = policy.act(t, stream.step(t, *vision.step(frame)))
        since_hand = t - (camera.by_hand[-1] if camera.by_hand else -1e9)
        yielding = since_hand < params.yield_s and camera.selected != 0
        right = camera.selected == 0
        if 0 in camera.detected and not yielding:
            result.visible_s += 1 / fps
            result.on_target_s += right / fps
            if right:
                if waiting_since is not None:
                    result.acquire_frames.append(frame - waiting_since)
                waiting_since = None
            elif waiting_since is None:
                waiting_since = frame
        else:
            waiting_since = None
        for kind in kinds:
            result.presses += 1
            result.presses_while_right += right
            if blind < since_hand < params.yield_s and camera.selected != 0:
                result.overridden += 1
                result.overridden_clear += clear
            camera.press(t, kind)
        if isinstance(policy, Ours):
            result.false_yields += policy.planner.yields > yields and since_hand > _CAUSE_S
            yields = policy.planner.yields
        if trace:
            selected = -1 if camera.selected is None else camera.selected
            result.timeline.append((selected, int(0 in camera.detected), int(kinds[0]) if kinds else 0))
            if isinstance(policy, Ours):
                result.states.append(f"{policy.planner.status.name}: {policy.planner.reason}")
    result.hand_times = camera.by_hand
    result.hand_moves = len(camera.by_hand)
    return result


def _somebody_else(camera: Camera) -> int | None:
    """A photographer's choice: a neighbour of who is selected, not the target, seldom the largest."""
    if camera.selected is None or camera.selected not in camera.detected:
        return None
    x = camera.place(camera.selected)[0]
    others = [i for i in camera.detected if i not in (camera.selected, 0)]
    if not others:
        return None
    largest = max(camera.detected, key=lambda i: camera.place(i)[2])
    row = sorted(camera.detected, key=lambda i: camera.place(i)[0])
    here = row.index(camera.selected)
    beside = [row[k] for k in (here - 1, here + 1) if 0 <= k < len(row) and row[k] in others and row[k] != largest]
    return min(beside or others, key=lambda i: abs(camera.place(i)[0] - x))
