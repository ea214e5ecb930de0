"""Why nothing is pressed for a frame: reasons, in the order in which they count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from face_af_common.types import ActionKind, AfState, SteeringStatus

from .camera_habits import is_largest
from .move_attribution import Suspicion
from .navigation import steps_between
from .params import PlannerParams
from .presses import Presses
from .selection import Selection
from .subjects import Subject
from .yielding import Yielding

_SIDE_MARGIN = 0.4
"""Faces nearer than this share of a face's width may change sides before the next press takes effect."""

_PROBE_S = 0.8
"""After a yield one press shows whether the wish is over: who still wants the face steps back within so long."""

Reason = tuple[SteeringStatus, str]


@dataclass
class Situation:
    """One frame, as the planner sees it."""

    now: float
    params: PlannerParams
    paused: bool
    blocked: str
    target: Subject | None
    """None = not in sight."""
    confirmed: bool
    row: list[Subject]
    selection: Selection
    yielding: Yielding
    suspicion: Suspicion | None
    presses: Presses
    gave_up_until: float

    @property
    def focus(self) -> Subject | None:
        return self.selection.subject

    @property
    def on_target(self) -> bool:
        return self.target is not None and self.focus is not None and self.focus.key == self.target.key

    @cached_property
    def steps(self) -> list[ActionKind]:
        """The presses that lead to the target, which must be in sight."""
        assert self.target is not None
        return self.presses.navigation.steps(self.focus, self.target, self.row, self.params.wrap)

    @property
    def since_press_s(self) -> float:
        """Since the newest press whose effect may still come; there must be one."""
        return self.now - self.presses.waiting[-1].at

    @property
    def early(self) -> bool:
        """The camera cannot have answered that press yet."""
        return self.since_press_s < self.presses.response.answer_s(self.params.picture_lag_s)


def why_not(situation: Situation) -> Reason | None:
    """The first reason not to press, or None."""
    for guard in _GUARDS:
        reason = guard(situation)
        if reason is not None:
            return reason
    return None


def _paused(s: Situation) -> Reason | None:
    return (SteeringStatus.IDLE, "paused") if s.paused else None


def _blocked(s: Situation) -> Reason | None:
    return (SteeringStatus.IDLE, s.blocked) if s.blocked else None


def _no_target(s: Situation) -> Reason | None:
    return (SteeringStatus.NO_TARGET, "the target is not in the picture") if s.target is None else None


def _on_target(s: Situation) -> Reason | None:
    return (SteeringStatus.ON_TARGET, "the focus is on the target") if s.on_target else None


def _yields(s: Situation) -> Reason | None:
    left = s.yielding.until - s.now
    return (SteeringStatus.YIELDING, f"{s.yielding.reason}; {left:.1f} s left") if left > 0 else None


def _unconfirmed(s: Situation) -> Reason | None:
    return (SteeringStatus.CONFIRMING, "making sure that this is the target") if not s.confirmed else None


def _perhaps_on_target(s: Situation) -> Reason | None:
    chosen = s.target is not None and s.target.chosen
    return (SteeringStatus.CONFIRMING, "the focus may be on the target") if chosen else None


def _undetected(s: Situation) -> Reason | None:
    unseen = s.target is not None and s.now - s.target.seen_box > s.params.remember_s
    return (SteeringStatus.CONFIRMING, "the camera has not detected the target") if unseen else None


def _focus_doubted(s: Situation) -> Reason | None:
    doubted = s.selection.doubted or (s.focus is not None and s.focus.state == AfState.DETECTED)
    return (SteeringStatus.CONFIRMING, "the focus may have moved") if doubted else None


def _focus_unknown(s: Situation) -> Reason | None:
    unknown = s.focus is None and s.selection.frames_unseen < s.params.unseen_frames
    return (SteeringStatus.CONFIRMING, "looking for the focus") if unknown else None


def _camera_chooses(s: Situation) -> Reason | None:
    lost = s.focus is not None and s.focus not in s.row
    if lost and s.target is not None and is_largest(s.target, s.row):
        return SteeringStatus.CONFIRMING, "the camera has lost its subject and may choose the target"
    return None


def _gave_up(s: Situation) -> Reason | None:
    left = s.gave_up_until - s.now
    return (SteeringStatus.GAVE_UP, f"nothing helped; next try in {left:.1f} s") if left > 0 else None


def _probing(s: Situation) -> Reason | None:
    left = s.suspicion
    if left is None or not left.obeyed or left.gone_at is None or s.now - left.gone_at >= _PROBE_S:
        return None
    return SteeringStatus.WAITING, "the photographer may step back"


def _effect_to_come(s: Situation) -> Reason | None:
    waiting = s.presses.waiting
    if not waiting or _may_follow(s):
        return None
    return SteeringStatus.WAITING, f"{waiting[-1].kind.name} pressed {s.since_press_s * 1e3:.0f} ms ago"


def _may_follow(s: Situation) -> bool:
    """Whether the next of several steps may be pressed before the picture shows the last one.

    Only where more steps are needed than presses are under way, counted over the boxes that are seen
    now, and none got lost; paced by what this camera was seen to take.
    """
    response, waiting, focus, target = s.presses.response, s.presses.waiting, s.focus, s.target
    if s.suspicion is not None and s.suspicion.obeyed:
        return False
    if not response.known or s.presses.lost_in_a_row or focus is None or target is None:
        return False
    seen = [subject for subject in s.row if subject.state]
    sure = min(len(s.steps), steps_between(focus, target, seen, _SIDE_MARGIN * target.width))
    if len(waiting) >= sure or any(press.kind != s.steps[0] for press in waiting):
        return False
    return s.since_press_s >= s.presses.pipelining.follow_s(sure, response, s.params.picture_lag_s)


def _cooling_down(s: Situation) -> Reason | None:
    if not s.presses.waiting and s.presses.must_cool_down(s.now):
        return SteeringStatus.WAITING, "the camera does not listen so soon after an effect"
    return None


_GUARDS: tuple[Callable[[Situation], Reason | None], ...] = (
    _paused,
    _blocked,
    _no_target,
    _on_target,
    _yields,
    _unconfirmed,
    _perhaps_on_target,
    _undetected,
    _focus_doubted,
    _focus_unknown,
    _camera_chooses,
    _gave_up,
    _probing,
    _effect_to_come,
    _cooling_down,
)
