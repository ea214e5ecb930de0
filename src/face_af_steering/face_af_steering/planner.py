"""Decides which button moves the camera's focus to the target, and when. No ROS here.

What is known: faces with names, and the boxes that the camera draws, both as seen in one frame that
lags the camera. What is believed between frames lives in the helpers: :class:`Row` (the camera's
subjects), :class:`TargetChooser` (who is meant), :class:`Selection` (where the focus is),
:class:`Presses` (what became of ours), :class:`MoveAttribution` (who else moved it). The planner joins them.
"""

from __future__ import annotations

from face_af_common.types import Action, ActionKind, AfBox, AfState, Face, SteeringStatus

from .af_area import AreaPointer
from .move_attribution import MoveAttribution, is_largest
from .navigation import steps_between
from .params import PlannerParams, SteeringNodeParams
from .presses import Press, Presses
from .rate_limit import RateLimit
from .selection import Move, Selection
from .subjects import Row, Subject
from .target import TargetChooser

__all__ = ["Planner", "PlannerParams", "SteeringNodeParams"]

_CLOCK_JUMP_S = 2.0
_SIDE_MARGIN = 0.4
"""Faces nearer than this share of a face's width may change sides before the next press takes effect."""


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
        self._row = Row()
        self._chooser = TargetChooser()
        self._selection = Selection()
        self._attribution = MoveAttribution()
        self._presses = Presses()
        self._limit = RateLimit()
        self._area = AreaPointer()
        self._now = -1e18
        self._give_ups = 0
        self._pause_until = -1e18
        self._yield_until = -1e18
        self._yield_before = -1e18
        """What it was before the newest move, in case that one turns out to be misread."""

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
        return self._presses.response.middle_s

    def pause(self) -> None:
        """No presses until :meth:`resume`."""
        self.paused = True

    def resume(self) -> None:
        """Ends a pause, a yield and a give-up at once."""
        self.paused = False
        self._yield_until = self._yield_before = self._pause_until = -1e18
        self._presses.lost_in_a_row = self._give_ups = 0

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
        self._presses.drop_lost(now, self._row.candidates(now, params.remember_s))
        return self._decide(now, track, confirmed)

    # -- what happened

    def _start_anew(self, now: float) -> None:
        for part in (self._row, self._chooser, self._selection, self._attribution, self._area, self._presses):
            part.forget()
        self._limit.restart(now)
        self._give_ups = 0
        self._pause_until = self._yield_until = self._yield_before = -1e18

    def _expected(self, subject: Subject) -> bool:
        row = self._row.candidates(self._now, self.params.remember_s)
        return self._presses.lead_to(self._now, self._selection.subject, subject, row, self.params.wrap)

    def _moved(self, now: float, move: Move) -> None:
        row = self._row.candidates(now, self.params.remember_s)
        ours = self._presses.explain(now, move, row, self.params.wrap)
        if not move.back:
            self._yield_before = self._yield_until
        elif not ours:
            self._attribution.withdraw()
            self._yield_until, self._yield_before = self._yield_before, self._yield_until
        if ours:
            if self._presses.effect_at == now:
                self._give_ups = 0
            return
        if move.after is not None and move.after.key == self._target:
            return
        if self._presses.led_elsewhere(now):
            return
        if self._attribution.is_person(now, move, row, self.params):
            self._yield_until = now + self.params.yield_s
            self.yields += 1

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
                self._presses.lost_in_a_row = self._give_ups = 0
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
        steps = self._presses.navigation.steps(focus, target, row, params.wrap)
        waiting = self._presses.waiting
        early = False
        if waiting:
            since = now - waiting[-1].at
            early = since < self._presses.response.answer_s(params.picture_lag_s)
            if not self._may_follow(focus, target, row, steps, since):
                return self._say(SteeringStatus.WAITING, f"{waiting[-1].kind.name} pressed {since * 1e3:.0f} ms ago")
        if not waiting and self._presses.must_cool_down(now):
            return self._say(SteeringStatus.WAITING, "the camera does not listen so soon after an effect")
        kind, why = self._next_kind(focus, target, row, steps)
        if kind is None:
            pause = min(params.give_up_s * 2.0**self._give_ups, params.give_up_max_s)
            self._give_ups = min(self._give_ups + 1, 20)
            self._presses.lost_in_a_row = 0
            self._pause_until = now + pause
            return self._say(SteeringStatus.GAVE_UP, f"nothing helped; next try in {pause:.1f} s")
        if not self._limit.allows(now, params.min_interval_s, params.max_presses, params.rate_window_s):
            return self._say(SteeringStatus.WAITING, "as many presses as the rate limit allows")
        if focus is not None and not waiting and not self._presses.lost_in_a_row:
            self._presses.navigation.set_out(kind, focus, target, row)
        return self._press(now, Press(kind, now, focus, target, bool(waiting), early), why)

    def _may_follow(
        self, focus: Subject | None, target: Subject, row: list[Subject], steps: list[ActionKind], since: float
    ) -> bool:
        """Whether the next of several steps may be pressed before the picture shows the last one.

        Only where more steps are needed than presses are under way, counted over the boxes that are seen
        now, and none got lost; paced by what this camera was seen to take.
        """
        response, waiting = self._presses.response, self._presses.waiting
        if not response.known or self._presses.lost_in_a_row or focus is None:
            return False
        seen = [s for s in row if s.state]
        sure = min(len(steps), steps_between(focus, target, seen, _SIDE_MARGIN * target.width))
        if len(waiting) >= sure or any(press.kind != steps[0] for press in waiting):
            return False
        return since >= self._presses.pipelining.follow_s(sure, response, self.params.picture_lag_s)

    def _next_kind(
        self, focus: Subject | None, target: Subject, row: list[Subject], steps: list[ActionKind]
    ) -> tuple[ActionKind | None, str]:
        first, tried = steps[0], self._presses.lost_in_a_row
        if tried < self.params.repeats:
            count = len(steps)
            where = f"{count} {'step' if count == 1 else 'steps'} to the target"
            return first, where if not tried else f"{where}; the last press was lost"
        others = self._presses.navigation.alternatives(first)
        index = tried - self.params.repeats
        if index >= len(others):
            return None, ""
        return others[index], f"{first.name} has no effect; trying another button"

    def _press(self, now: float, press: Press, why: str) -> list[Action]:
        self._limit.count(now)
        self._attribution.corrected(now)
        self._presses.sent(press)
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
