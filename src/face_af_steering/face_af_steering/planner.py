"""Decides which button moves the camera's focus to the target, and when. No ROS here.

What is known: faces with names, and the boxes that the camera draws, both as seen in one frame that
lags the camera. What is believed between frames lives in the helpers: :class:`Row` (the camera's
subjects), :class:`TargetChooser` (who is meant), :class:`Selection` (where the focus is),
:class:`ResponseModel` (how long the camera takes), :class:`Hands` (who moved it). The planner joins them.
"""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.types import Action, ActionKind, AfBox, AfState, Face, SteeringStatus

from .af_area import AreaPointer
from .hands import Hands, is_largest
from .moves import Moves, is_wrap, steps_between
from .params import PlannerParams, SteeringNodeParams
from .rate_limit import RateLimit
from .response import ResponseModel
from .rest import Rest
from .selection import Move, Selection
from .subjects import Row, Subject
from .target import TargetChooser

__all__ = ["Planner", "PlannerParams", "SteeringNodeParams"]

_EARLIEST_EFFECT_S = 0.05
"""No camera shows the effect of a press sooner."""
_CLOCK_JUMP_S = 2.0
_SIDE_MARGIN = 0.4
"""Faces nearer than this share of a face's width may change sides before the next press takes effect."""


@dataclass
class _Press:
    """One press that may still explain what the selection does."""

    kind: ActionKind
    at: float
    before: Subject | None
    aim: Subject
    planned: bool = False
    """Sent before the effect of the press before it was seen."""
    lost: bool = False
    """Nothing was seen of it in time."""
    done: bool = False
    """Its effect was seen."""
    after_s: float = 1e9
    """So long after an effect was seen."""


class Planner:
    """Steers one camera. Deterministic; one call of :meth:`update` for each frame."""

    def __init__(self, params: PlannerParams | None = None, frame_size: tuple[int, int] = (1920, 1080)) -> None:
        self.params = params or PlannerParams()
        self.frame_size = frame_size
        self.status = SteeringStatus.IDLE
        self.reason = "starting"
        self._target: int | None = None
        self.presses = 0
        self.yields = 0
        """How often a move was taken for the photographer's."""
        self.paused = False
        self.blocked = ""
        """Why nothing may be pressed now (no camera); empty = nothing in the way."""
        self.response = ResponseModel()
        self._rest = Rest()
        self._effect_at = -1e18
        self._row = Row()
        self._chooser = TargetChooser()
        self._selection = Selection()
        self._hands = Hands()
        self._moves = Moves()
        self._limit = RateLimit()
        self._area = AreaPointer()
        self._now = -1e18
        self._open: list[_Press] = []
        self._tried = 0
        self._give_ups = 0
        self._pause_until = -1e18
        self._pause_row = 0
        self._yield_until = -1e18

    @property
    def target_track_id(self) -> int:
        """Track id of the target's face in the newest frame; 0 = not in sight."""
        return self._target or 0

    @property
    def focus_track_id(self) -> int:
        """Track id of the face that has the camera's focus; 0 = none known."""
        subject = self._selection.subject
        return max(subject.key, 0) if subject is not None else 0

    @property
    def response_s(self) -> float:
        """Learned time from a press to its effect in the picture."""
        return self.response.middle_s

    def pause(self) -> None:
        """No presses until :meth:`resume`."""
        self.paused = True

    def resume(self) -> None:
        """Ends a pause, a yield and a give-up at once."""
        self.paused = False
        self._yield_until = self._pause_until = -1e18
        self._tried = self._give_ups = 0

    def forget_target(self) -> None:
        """Somebody else is meant from now on: claims of before do not count."""
        self._chooser.forget()

    def update(self, now: float, faces: list[Face], boxes: list[AfBox]) -> list[Action]:
        """What to send for this frame: nothing or one action.

        ``now``: time of the frame in seconds, on a clock that does not stand still; ``faces`` and
        ``boxes``: what was seen in it. A clock that jumps back or ahead starts the belief anew; what was
        learned about the camera stays.
        """
        if not -1e-9 <= now - self._now <= _CLOCK_JUMP_S:
            self._start_anew(now)
        self._now = now
        params = self.params
        self._row.update(now, faces, boxes, params.remember_s)
        track, confirmed = self._chooser.update(now, faces, self._row.renamed, params)
        self._target = track
        if params.mode == "af_area":
            return self._point(now, faces, track, confirmed)
        move = self._selection.update(now, self._row, self._expected, params.confirm_frames, params.unseen_frames)
        if move is not None:
            self._moved(now, move)
        self._drop_lost(now)
        return self._decide(now, track, confirmed)

    # -- what happened

    def _start_anew(self, now: float) -> None:
        for part in (self._row, self._chooser, self._selection, self._hands, self._area):
            part.forget()
        self._limit.restart(now)
        self._open.clear()
        self._tried = self._give_ups = 0
        self._pause_until = self._yield_until = self._effect_at = -1e18

    def _expected(self, subject: Subject) -> bool:
        """Whether presses of ours lead exactly to ``subject``: to believe it at first sight."""
        before = self._selection.subject
        fitting = [p for p in self._open if not p.done and self._explains(p, before, subject)]
        if not fitting or before is None:
            return False
        row = self._row.candidates(self._now, self.params.remember_s)
        return steps_between(before, subject, row) <= len(fitting) or is_wrap(fitting[0].kind, before, subject, row)

    def _explains(self, press: _Press, before: Subject | None, after: Subject | None) -> bool:
        if not _EARLIEST_EFFECT_S <= self._now - press.at <= self.response.latest_s:
            return False
        if before is None or after is None or press.kind not in (ActionKind.LEFT, ActionKind.RIGHT):
            return True
        if (after.x > before.x) == (press.kind == ActionKind.RIGHT) or abs(after.x - before.x) < 0.5 * before.width:
            return True
        if self.params.wrap == "no":
            return False
        row = self._row.candidates(self._now, self.params.remember_s)
        seen = [s for s in row if s.state or s is before]
        return is_wrap(press.kind, before, after, row) or is_wrap(press.kind, before, after, seen)

    def _moved(self, now: float, move: Move) -> None:
        if move.back:
            self._hands.withdraw()
        row = self._row.candidates(now, self.params.remember_s)
        ours = [p for p in self._open if self._explains(p, move.before, move.after)]
        fitting = [p for p in ours if not p.done]
        if fitting and move.after is not None:
            press = fitting[self.response.taking_effect([now - p.at for p in fitting])]
            press.done = True
            self._effect_at = now
            if len(fitting) == 1 and not (press.lost or press.planned):
                self._rest.ended(press.after_s, worked=True)
            if press.planned:
                self.response.kept_pace(True)
            if move.before is not None:
                if self.response.can_use(now - press.at, sure=len(fitting) == 1):
                    self.response.learn(now - press.at)
                if press.lost:
                    self.response.late()
                self._moves.ended(press.kind, move.before, move.after, press.aim, row)
            self._tried = self._give_ups = 0
        if ours:
            return
        if move.after is not None and move.after.key == self._target:
            return
        elsewhere = [p for p in self._open if not p.done and self.response.is_due(now - p.at)]
        if elsewhere:
            elsewhere[0].done = True
            return
        if self._hands.is_person(now, move, row, self.params):
            self._yield_until = now + self.params.yield_s
            self.yields += 1

    def _drop_lost(self, now: float) -> None:
        timeout = self.response.timeout_s(self._tried)
        for press in self._open:
            if not press.lost and not press.done and now - press.at > timeout:
                press.lost = True
                self._tried += not press.planned
                if not press.planned:
                    self._rest.ended(press.after_s, worked=False)
                self.response.lost()
                if press.planned:
                    self.response.kept_pace(False)
                if press.before is not None:
                    row = self._row.candidates(now, self.params.remember_s)
                    self._moves.ended(press.kind, press.before, None, press.aim, row)
        if self._open and now - self._open[0].at > self.response.latest_s:
            self._open = [p for p in self._open if now - p.at <= self.response.latest_s]

    # -- what to do

    def _say(self, status: SteeringStatus, reason: str) -> list[Action]:
        self.status, self.reason = status, reason
        return []

    def _decide(self, now: float, track: int | None, confirmed: bool) -> list[Action]:
        params = self.params
        focus = self._selection.subject
        if self.paused:
            return self._say(SteeringStatus.IDLE, "paused")
        if self.blocked:
            return self._say(SteeringStatus.IDLE, self.blocked)
        if track is None:
            return self._say(SteeringStatus.NO_TARGET, "the target is not in the picture")
        if focus is not None and focus.key == track:
            if confirmed:
                self._yield_until = self._pause_until = -1e18
                self._tried = self._give_ups = 0
            return self._say(SteeringStatus.ON_TARGET, "the focus is on the target")
        if now < self._yield_until:
            left = self._yield_until - now
            return self._say(SteeringStatus.YIELDING, f"the photographer moved the selection; {left:.1f} s left")
        target = self._row.subjects[track]
        if not confirmed:
            return self._say(SteeringStatus.CONFIRMING, "making sure that this is the target")
        if target.chosen:
            return self._say(SteeringStatus.CONFIRMING, "the focus may be on the target")
        if now - target.seen_box > params.remember_s:
            return self._say(SteeringStatus.CONFIRMING, "the camera has not detected the target")
        if self._selection.doubted or (focus is not None and focus.state == AfState.DETECTED):
            return self._say(SteeringStatus.CONFIRMING, "the focus may have moved")
        if focus is None and self._selection.frames_unseen < params.unseen_frames:
            return self._say(SteeringStatus.CONFIRMING, "looking for the focus")
        row = self._row.candidates(now, params.remember_s)
        if focus is not None and focus not in row and is_largest(target, row):
            return self._say(SteeringStatus.CONFIRMING, "the camera has lost its subject and may choose the target")
        if now < self._pause_until:
            left = self._pause_until - now
            return self._say(SteeringStatus.GAVE_UP, f"nothing helped; next try in {left:.1f} s")
        steps = self._moves.steps(focus, target, row, params.wrap)
        waiting = [p for p in self._open if not (p.lost or p.done)]
        if waiting:
            since = now - waiting[-1].at
            if not self._may_follow(focus, target, row, waiting, since):
                return self._say(SteeringStatus.WAITING, f"{waiting[-1].kind.name} pressed {since * 1e3:.0f} ms ago")
        if not waiting and now - self._effect_at < self._rest.pause_s:
            return self._say(SteeringStatus.WAITING, "the camera does not listen so soon after an effect")
        kind, why = self._next_kind(focus, target, row, steps)
        if kind is None:
            pause = min(params.give_up_s * 2.0**self._give_ups, params.give_up_max_s)
            self._give_ups = min(self._give_ups + 1, 20)
            self._tried = 0
            self._pause_until = now + pause
            return self._say(SteeringStatus.GAVE_UP, f"nothing helped; next try in {pause:.1f} s")
        if not self._limit.allows(now, params.min_interval_s, params.max_presses, params.rate_window_s):
            return self._say(SteeringStatus.WAITING, "as many presses as the rate limit allows")
        return self._press(now, _Press(kind, now, focus, target, bool(waiting)), why)

    def _may_follow(
        self, focus: Subject | None, target: Subject, row: list[Subject], waiting: list[_Press], since: float
    ) -> bool:
        """Whether the next of several steps may be pressed before the picture shows the last one.

        Only where more steps are needed than presses are under way, counted over the boxes that are seen
        now, and none got lost; paced by what this camera was seen to take.
        """
        if not self.response.known or self._tried or focus is None:
            return False
        steps = self._moves.steps(focus, target, row, self.params.wrap)
        seen = [s for s in row if s.state]
        sure = min(len(steps), steps_between(focus, target, seen, _SIDE_MARGIN * target.width))
        if len(waiting) >= sure or any(press.kind != steps[0] for press in waiting):
            return False
        return since >= self.response.pace * max(self.response.middle_s - self.params.picture_lag_s, 0.0)

    def _next_kind(
        self, focus: Subject | None, target: Subject, row: list[Subject], steps: list[ActionKind]
    ) -> tuple[ActionKind | None, str]:
        first = steps[0]
        if self._tried < self.params.repeats:
            count = len(steps)
            where = f"{count} {'step' if count == 1 else 'steps'} to the target"
            return first, where if not self._tried else f"{where}; the last press was lost"
        others = self._moves.alternatives(first)
        index = self._tried - self.params.repeats
        if index >= len(others):
            return None, ""
        return others[index], f"{first.name} has no effect; trying another button"

    def _press(self, now: float, press: _Press, why: str) -> list[Action]:
        self._limit.count(now)
        self._hands.corrected(now)
        if not press.planned:
            press.after_s = now - self._effect_at
        self._open.append(press)
        self.presses += 1
        self._say(SteeringStatus.STEERING, f"{press.kind.name}: {why}")
        return [Action(press.kind, why)]

    def _point(self, now: float, faces: list[Face], track: int | None, confirmed: bool) -> list[Action]:
        params = self.params
        if self.paused:
            return self._say(SteeringStatus.IDLE, "paused")
        if self.blocked:
            return self._say(SteeringStatus.IDLE, self.blocked)
        face = next((f for f in faces if f.track_id == track and f.is_target), None)
        if face is None:
            return self._say(SteeringStatus.NO_TARGET, "the target is not in the picture")
        if not confirmed:
            return self._say(SteeringStatus.CONFIRMING, "making sure that this is the target")
        point = self._area.update(now, face, self.frame_size, params)
        if point is None or not self._limit.allows(
            now, params.area_interval_s, params.max_presses, params.rate_window_s
        ):
            return self._say(SteeringStatus.ON_TARGET, "the AF area is on the target's eyes")
        self._limit.count(now)
        self.presses += 1
        self._say(SteeringStatus.STEERING, "AF_AREA: the target's eyes moved")
        return [self._area.sent(now, point)]
