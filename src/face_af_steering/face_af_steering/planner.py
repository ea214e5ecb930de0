"""Decides which button moves the camera's focus to the target, and when. No ROS here.

What is known: faces with names, and the boxes that the camera draws, both as seen in one frame that
lags the camera. What is believed between frames lives in the helpers: :class:`Row` (the camera's
subjects), :class:`TargetChooser` (who is meant), :class:`Selection` (where the focus is),
:class:`Presses` (what became of ours), :class:`MoveAttribution` (who else moved it), :class:`Yielding`
(whether to leave it there). The planner joins them; :mod:`.guards` lists why nothing is pressed.
"""

from __future__ import annotations

import dataclasses

from face_af_common.types import Action, ActionKind, AfBox, Face, SteeringStatus

from .af_area import AreaPointer
from .clock import NEVER
from .frame_pace import FramePace
from .guards import Situation, why_not
from .move_attribution import MoveAttribution
from .params import PlannerParams, SteeringNodeParams
from .presses import Press, Presses
from .rate_limit import RateLimit
from .selection import Move, Selection
from .subjects import Row, Subject
from .target import TargetChooser
from .yielding import Yielding

__all__ = ["Planner", "PlannerParams", "SteeringNodeParams"]

_CLOCK_JUMP_S = 2.0
"""A longer gap between two frames, or a step back: another recording, or a clock that was set."""
_GAPS_REMEMBERED = 1.5
"""Who was seen in the newest frame or the one before is there still, however slowly frames come: ``remember_s`` is at
least so many of the longest gaps."""
_MOST_DOUBLINGS = 20
"""Of the pause after giving up: far beyond its longest, and no number overflows."""


class Planner:
    """Steers one camera. Deterministic; one call of :meth:`update` for each frame."""

    def __init__(
        self,
        params: PlannerParams | None = None,
        frame_size: tuple[int, int] = (1920, 1080),
        attribution: MoveAttribution | None = None,
    ) -> None:
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
        self._used = self.params
        """The parameters as this frame uses them."""
        self._pace = FramePace()
        self._row = Row()
        self._chooser = TargetChooser()
        self._selection = Selection()
        self._attribution = attribution or MoveAttribution()
        self._presses = Presses()
        self._limit = RateLimit()
        self._area = AreaPointer()
        self._yielding = Yielding()
        self._now = NEVER
        self._give_ups = 0
        self._gave_up_until = NEVER

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

    def expect(self, response_s: float, spread_s: float, loss: float | None, wraps: bool | None) -> None:
        """What was measured with this camera before; what is seen from now on counts for more and more.

        ``response_s`` and ``spread_s`` in seconds, 0 where unknown; ``loss``: share of presses; None: unknown.
        """
        if response_s > 0:
            self._presses.response.expect(response_s, spread_s, loss)
        if wraps is not None:
            self._presses.navigation.expect_wrap(wraps)

    def not_sent(self) -> None:
        """The newest press has not reached the camera."""
        self._presses.not_sent()

    def pause(self) -> None:
        """No presses until :meth:`resume`."""
        self.paused = True

    def resume(self) -> None:
        """Ends a pause, a yield and a give-up at once."""
        self.paused = False
        self._end_waits()

    def forget_target(self) -> None:
        """Another person is meant from now on: claims of before do not count."""
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
        self._pace.tick(now)
        params = self._used = self._fitted()
        self._row.update(now, faces, boxes, params.remember_s)
        track, confirmed = self._chooser.update(now, faces, self._row.renamed, params)
        self._target = track
        if params.mode == "af_area":
            return self._point(now, faces, track, confirmed)
        self._attribution.tick(now, self._row.renamed, params.insist_s)
        move = self._selection.update(now, self._row, self._expected, params.confirm_frames, params.unseen_frames)
        if move is not None:
            self._moved(now, move)
        row = self._row.candidates(now, params.remember_s)
        self._presses.drop_lost(now, row)
        return self._decide(now, track, confirmed, row)

    def _fitted(self) -> PlannerParams:
        """The parameters, with patience enough for the frames' pace."""
        gaps = _GAPS_REMEMBERED * self._pace.longest_s
        return self.params if gaps <= self.params.remember_s else dataclasses.replace(self.params, remember_s=gaps)

    # -- what happened

    def _start_anew(self, now: float) -> None:
        for part in (
            self._pace,
            self._row,
            self._chooser,
            self._selection,
            self._attribution,
            self._area,
            self._presses,
        ):
            part.forget()
        self._limit.restart(now)
        self._give_ups = 0
        self._gave_up_until = NEVER
        self._yielding.end()

    def _expected(self, subject: Subject) -> bool:
        row = self._row.candidates(self._now, self._used.remember_s)
        return self._presses.lead_to(self._now, self._selection.subject, subject, row, self._used.wrap)

    def _moved(self, now: float, move: Move) -> None:
        row, wrap = self._row.candidates(now, self._used.remember_s), self._used.wrap
        to_target = move.after is not None and move.after.key == self._target
        self._attribution.wraps = wrap == "yes" or (wrap == "auto" and self._presses.navigation.wraps)
        found = self._attribution.weigh(
            now, move, row, self._presses.density(now, move, row, wrap), 0.5 * self.frame_size[0]
        )
        ours = to_target or move.back or found.cause == "ours"
        ours = ours and self._presses.explain(now, move, row, wrap)
        if not move.back:
            self._yielding.remember()
        elif not ours:
            self._attribution.misread()
            self._yielding.take_back()
        if ours and self._presses.effect_at == now:
            self._give_ups = 0
        if to_target and not (ours or move.back):
            self._attribution.came_to_target(found)
        if ours or move.back or to_target:
            self._attribution.left(now, by_us=ours, lost=move.before_gone)
            return
        if found.cause == "ours":
            self._presses.led_elsewhere(now)
            self._attribution.left(now, by_us=True)
            if self._attribution.suspicion is None:  # it may have been a hand all the same
                self._attribution.suspect(now, move, found)
            return
        self._attribution.suspect(now, move, found)
        suspicion = self._attribution.suspicion
        if suspicion is None or suspicion.at != now:
            return
        if self._yielding.judge(now, found, suspicion, self.params):
            self.yields += 1

    # -- what to do

    def _say(self, status: SteeringStatus, reason: str) -> list[Action]:
        self.status, self.reason = status, reason
        return []

    def _decide(self, now: float, track: int | None, confirmed: bool, row: list[Subject]) -> list[Action]:
        params, presses = self._used, self._presses
        target = self._row.subjects[track] if track is not None else None
        situation = Situation(
            now,
            params,
            self.paused,
            self.blocked,
            target,
            confirmed,
            row,
            self._selection,
            self._yielding,
            self._attribution.suspicion,
            presses,
            self._gave_up_until,
        )
        if situation.on_target and confirmed:
            self._end_waits()
        reason = why_not(situation)
        if reason is not None:
            return self._say(*reason)
        assert target is not None
        kind, why = self._next_kind(situation.steps)
        if kind is None:
            return self._give_up(now)
        if not self._limit.allows(now, params.min_interval_s, params.max_presses, params.rate_window_s):
            return self._say(SteeringStatus.WAITING, "as many presses as the rate limit allows")
        focus, follows = situation.focus, bool(presses.waiting)
        if focus is not None and not follows and not presses.lost_in_a_row:
            presses.navigation.set_out(kind, focus, target, row)
        return self._press(now, Press(kind, now, focus, target, follows, follows and situation.early), why)

    def _end_waits(self) -> None:
        self._yielding.end()
        self._gave_up_until = NEVER
        self._presses.lost_in_a_row = self._give_ups = 0

    def _give_up(self, now: float) -> list[Action]:
        params = self.params
        pause = min(params.give_up_s * 2.0**self._give_ups, params.give_up_max_s)
        self._give_ups = min(self._give_ups + 1, _MOST_DOUBLINGS)
        self._presses.lost_in_a_row = 0
        self._gave_up_until = now + pause
        return self._say(SteeringStatus.GAVE_UP, f"nothing helped; next try in {pause:.1f} s")

    def _next_kind(self, steps: list[ActionKind]) -> tuple[ActionKind | None, str]:
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
