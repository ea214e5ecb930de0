"""Who moved the selection: the camera by itself, the photographer, a press of ours, or a misread box.

Each move that no press of ours plainly explains is weighed by how often each of them does such a thing:

* **camera**: at a rate learned in this session, to one of the faces that cameras like (learned too: the
  largest, the nearest, a neighbour, the most central, any). Far more likely where it has just lost its subject.
* **photographer**: begins a wish at a rate learned in this session, with one step in the row. Who has begun
  goes on within a second, and brings the same face back soon after it was taken away, but never at once.
* **ours**: a press that is due, with an effect that was not expected.
* **misread**: two boxes misread in the same frames.

A likelihood is a density: such a move a second. Whether the first step of a wish was one is learned from
what follows: a face that was taken away and is not brought back was the camera's choice, or a wish that
was given up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from face_af_common.types import ActionKind

from .attribution_priors import PRIORS, Priors, hand_density, hand_share
from .camera_habits import destinations
from .clock import NEVER
from .navigation import is_stacked, is_wrap, steps_between
from .selection import Move
from .subjects import Subject

_FACE_GAP_S = 0.1
"""A face that was not seen for so long is hidden: the camera draws its box a little longer."""
_SAME_WAY = 0.8
"""Share of the further steps of a wish that go the same way as the one before: few overshoot."""


@dataclass(frozen=True)
class Likelihoods:
    """How likely each cause makes one move: densities a second, not normalised."""

    camera: float
    wish: float = 0.0
    """A hand that begins a new wish."""
    goes_on: float = 0.0
    """A hand that goes on with the suspected wish."""
    ours: float = 0.0
    misread: float = 0.0
    brings_back: bool = False
    """To the face that the suspected wish is about, after the selection was led away from it."""
    plausible: bool = False
    """One step, and nothing was lost: a person could have done it, however often persons do."""
    at_work: bool = False
    """A photographer was seen at work in this session, beyond doubt."""
    habits: Mapping[str, float] = field(default_factory=dict)
    """The part of a camera that has lost nothing, by kind of face."""
    evidence: float = 0.0
    """So many times likelier is it that a wish goes on so than that the camera goes just there."""

    @property
    def hand(self) -> float:
        return self.wish + self.goes_on

    @property
    def person(self) -> float:
        """Probability that the photographer did it, 0 to 1."""
        return self.hand / (self.hand + self.camera + self.ours + self.misread)

    @property
    def cause(self) -> str:
        """The likeliest: ``camera``, ``photographer``, ``ours`` or ``misread``."""
        causes = {"camera": self.camera, "photographer": self.hand, "ours": self.ours, "misread": self.misread}
        return max(causes, key=causes.__getitem__)


@dataclass
class Suspicion:
    """A face that the photographer may have stepped to, and what has become of it since."""

    face: int
    """Its key in the row."""
    at: float
    """When the selection came there, seconds."""
    found: Likelihoods
    rightwards: bool
    insisted: int = 0
    """So often was it brought back, within this wish, after a press of ours had led away from it."""
    insists_odds: float = 0.0
    """Odds that a hand has made all its moves so far, whatever the boxes looked like in the frame of each."""
    confirmed: bool = False
    """The hand went on: more than a first step was seen of it."""
    obeyed: bool = False
    """It was left there for a while."""
    gone_at: float | None = None
    """When the selection left it, seconds; None = it has not."""
    gone_by_us: bool = False
    gone_lost: bool = False
    """The camera had lost the face: nobody can bring it back."""

    def odds(self, now: float, priors: Priors) -> float:
        """Odds for a wish: they fall while a face that the selection has left is not brought back."""
        person = self.found.person
        odds = person / max(1.0 - person, 1e-9)
        if self.gone_at is None or self.gone_lost:
            return odds
        return odds * (1.0 - self.insists(priors) * hand_share(now - self.gone_at, *priors.back_s))

    def insists(self, priors: Priors) -> float:
        """Share of such wishes that bring the face back."""
        return priors.insists_later if self.obeyed or not self.gone_by_us else priors.insists


class MoveAttribution:
    """Weighs the causes of moves, and learns how often camera and photographer move the selection."""

    def __init__(self, priors: Priors = PRIORS) -> None:
        self._priors = priors
        self._camera_events = priors.camera_events
        self._wish_events = priors.wish_events
        self._seconds = 0.0
        self._habits = dict(priors.habits)
        self._now = self._lost_at = NEVER
        self._gap_s = 0.0
        """Between the newest two frames."""
        self._at_work_until = NEVER
        """Until then it is remembered that a photographer was seen at work."""
        self.wraps = False
        """The camera's buttons were seen to go around the ends of the row."""
        self.suspicion: Suspicion | None = None

    def forget(self) -> None:
        """What is going on; not what was learned."""
        self.suspicion = None
        self._now = self._lost_at = NEVER

    @property
    def camera_rate(self) -> float:
        """Own moves of the camera, a second."""
        return self._camera_events / (self._priors.camera_s + self._seconds)

    @property
    def wish_rate(self) -> float:
        """Beginnings of a wish of the photographer's, a second."""
        events = self._wish_events + self._priors.at_work_events * self.at_work
        return events / (self._priors.wish_s + self._seconds)

    @property
    def at_work(self) -> bool:
        """A photographer was seen at work in this session, beyond doubt."""
        return self._now < self._at_work_until

    def tick(self, now: float, renamed: Mapping[int, int], insist_s: float) -> None:
        """Time goes on, once a frame. ``renamed``: keys of the row that changed, old to new."""
        if self._now > NEVER:
            seconds, priors = now - self._now, self._priors
            self._gap_s = seconds
            fades = seconds / priors.memory_s
            self._seconds += seconds - fades * self._seconds
            self._camera_events += fades * (priors.camera_events - self._camera_events)
            self._wish_events += fades * (priors.wish_events - self._wish_events)
        self._now = now
        suspicion = self.suspicion
        if suspicion is None:
            return
        suspicion.face = renamed.get(suspicion.face, suspicion.face)
        if suspicion.gone_at is not None and now - suspicion.gone_at > insist_s:
            self._close(now)

    def left(self, now: float, by_us: bool, lost: bool = False) -> None:
        """The selection has left the suspected face, by a press of ours or not; ``lost``: the camera had lost it."""
        suspicion = self.suspicion
        if suspicion is not None and suspicion.gone_at is None:
            suspicion.gone_at, suspicion.gone_by_us, suspicion.gone_lost = now, by_us, lost

    def came_to_target(self, found: Likelihoods) -> None:
        """No press of ours led to the target: most photographers leave it to us, so it was the camera rather."""
        self._count_camera(1.0 - self._priors.steps_back, found)

    def misread(self) -> None:
        """The newest move has taken itself back too soon for anybody: it says nothing."""
        self.suspicion = None

    def weigh(self, now: float, move: Move, row: Sequence[Subject], due: float, middle_x: float) -> Likelihoods:
        """The causes of a move that does not lead to the target.

        ``due``: density, a second, of such an effect of our presses under way; ``middle_x``: of the frame, pixels.
        """
        priors, before, after = self._priors, move.before, move.after
        if before is None or after is None or move.before_gone:
            self._lost_at = now
        if before is None or after is None:
            return Likelihoods(camera=priors.chooses_again, ours=due if after is not None else 0.0)
        lost = now - self._lost_at < priors.settles_s
        hidden = now - before.seen_face > _FACE_GAP_S and (move.before_unseen or before.face_area > 0)
        step = self._step(before, after, row)
        wanted, further, brings_back = self._goes_on(now, before, after, row, step)
        goes_on = wanted * further
        leads_to = destinations(before, after, row, middle_x)
        habits = self._own_moves(now, leads_to)
        any_time = sum(habits.values()) + priors.lost * (lost or hidden) * leads_to["any"]
        return Likelihoods(
            camera=sum(habits.values()) + priors.lost * lost + priors.hidden * hidden,
            wish=self.wish_rate * step,
            goes_on=goes_on,
            ours=due,
            misread=priors.misread,
            brings_back=brings_back,
            plausible=step >= priors.other_step and not (lost or hidden),
            at_work=self.at_work,
            habits=habits,
            evidence=further / (any_time + due + priors.misread),
        )

    def suspect(self, now: float, move: Move, found: Likelihoods) -> None:
        """Takes the move as weighed: it begins a suspicion, goes on with it, or ends it."""
        before, after, old = move.before, move.after, self.suspicion
        if before is None or after is None:
            self.left(now, by_us=False, lost=True)
            return
        if old is not None and old.gone_at is None:
            odds = old.odds(now, self._priors)
            if found.person < 0.5 and odds > 1.0 and found.person < odds / (1.0 + odds):
                # the camera has moved on from what is wanted: whoever wants it will come back to it
                self._count_camera(1.0 - found.person, found)
                self.left(now, by_us=False, lost=move.before_gone)
                return
        goes_on = old is not None and found.goes_on > found.wish
        if old is not None and goes_on:
            self._count_camera((1.0 - found.person) * (1.0 - old.found.person), old.found)
        elif old is not None:
            self._close(now)
        self.suspicion = Suspicion(after.key, now, found, after.x > before.x)
        self.suspicion.confirmed = goes_on
        self.suspicion.insists_odds = found.wish / (sum(found.habits.values()) + found.ours + self._priors.misread)
        if old is not None and (goes_on or found.brings_back):  # counted however little was believed of it
            self.suspicion.insisted = old.insisted + (found.brings_back and old.gone_by_us)
            self.suspicion.insists_odds = old.insists_odds * found.evidence
            if self.suspicion.insists_odds > self._priors.at_work_odds:
                self._at_work_until = now + self._priors.memory_s

    def _goes_on(
        self, now: float, before: Subject, after: Subject, row: Sequence[Subject], step: float
    ) -> tuple[float, float, bool]:
        """The probability of the suspected wish, how likely it makes this move, and whether that brings a face back."""
        suspicion, priors = self.suspicion, self._priors
        if suspicion is None:
            return 0.0, 0.0, False
        odds = suspicion.odds(now, priors)
        wanted, lasts = odds / (1.0 + odds), math.exp((suspicion.at - now) / priors.wish_lasts_s)
        if suspicion.gone_at is not None and suspicion.face == after.key:
            gone_s, insists = now - suspicion.gone_at, suspicion.insists(priors)
            # sooner than a hand can react, it had pressed already
            hazard = insists * hand_density(gone_s, *priors.back_s)
            if not suspicion.gone_lost:  # that it has not come back so far is in the odds already
                hazard /= 1.0 - insists * hand_share(gone_s, *priors.back_s)
            return wanted, lasts * hazard * min(step / priors.other_step, 1.0), True
        since = now - max(suspicion.at, suspicion.gone_at or suspicion.at)
        rightwards = after.x > before.x
        same_way = _SAME_WAY if rightwards == suspicion.rightwards else 1.0 - _SAME_WAY
        if suspicion.gone_at is not None:
            # more than one step away by now: the hand comes back step by step
            wanted_face = next((s for s in row if s.key == suspicion.face), None)
            comes_back = wanted_face is not None and rightwards == (wanted_face.x > after.x)
            same_way = _SAME_WAY if comes_back else priors.elsewhere
        density = hand_density(since, *priors.step_s) * self._can_react(since)
        further = priors.goes_on * 2.0 * same_way * density
        if suspicion.obeyed and suspicion.gone_at is None:
            further += priors.next_wish / priors.wish_lasts_s
        return wanted, lasts * further * step, False

    def _can_react(self, seconds: float) -> bool:
        """Whether a hand may have answered within so long, as far as the frames tell."""
        return seconds + self._gap_s >= self._priors.reaction_s

    def _close(self, now: float) -> None:
        """Nothing more will be heard of the suspicion: it is learned from."""
        suspicion = self.suspicion
        assert suspicion is not None
        odds = suspicion.odds(now, self._priors)
        counts = 1.0 if suspicion.confirmed else self._priors.unconfirmed
        self._wish_events += counts * odds / (1.0 + odds)
        self._count_camera(1.0 / (1.0 + odds), suspicion.found)
        self.suspicion = None

    def _count_camera(self, share: float, found: Likelihoods) -> None:
        """``share``: probability that it was the camera. What it does after a loss is no habit of its."""
        for kind, likelihood in found.habits.items():
            part = share * likelihood / (found.camera + found.ours)
            self._camera_events += part
            self._habits[kind] += part

    def _step(self, before: Subject, after: Subject, row: Sequence[Subject]) -> float:
        """How likely the first step of a wish goes this way."""
        priors = self._priors
        if is_stacked(before, after):
            return priors.other_step
        seen = [s for s in row if s.state or s is before or s is after]
        for present in (row, seen):
            # some cameras leave out faces above or below others
            between = [s for s in present if not (is_stacked(s, before) or is_stacked(s, after))]
            if steps_between(before, after, between) == 1:
                sides = any(s.x < before.x for s in between) + any(s.x > before.x for s in between)
                return priors.first_step / max(sides, 1)
            if any(is_wrap(kind, before, after, present) for kind in (ActionKind.LEFT, ActionKind.RIGHT)):
                return priors.first_step / 2 if self.wraps else priors.other_step
        return priors.far_step / max(len(row) - 1, 1)

    def _own_moves(self, now: float, leads_to: Mapping[str, float]) -> dict[str, float]:
        """Density of such a move by a camera that has lost nothing, by habit.

        Where the camera may have made the suspected move, it is a camera that does such things: what is not
        counted yet is believed of it by so much.
        """
        events, habits, suspicion = self._camera_events, dict(self._habits), self.suspicion
        if suspicion is not None and suspicion.found.habits:
            odds = suspicion.odds(now, self._priors)
            events += 1.0 / (1.0 + odds)
            for kind, likelihood in suspicion.found.habits.items():
                habits[kind] += likelihood / suspicion.found.camera / (1.0 + odds)
        rate = events / (self._priors.camera_s + self._seconds) / sum(habits.values())
        return {kind: rate * weight * leads_to[kind] for kind, weight in habits.items()}
