"""Simple rules for who moved the focus, to stand beside the planner's model: it must beat every one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from face_af_steering.camera_habits import is_largest
from face_af_steering.move_attribution import Likelihoods, MoveAttribution
from face_af_steering.navigation import steps_between
from face_af_steering.planner import Planner, PlannerParams
from face_af_steering.selection import Move
from face_af_steering.subjects import Subject

_ALL_OF_IT = 1e9
"""A likelihood beside which the others do not count."""
_QUICK_S = 1.2
_LARGE_QUICK_S = 2.0


class _Rule(MoveAttribution):
    """A rule says camera or photographer, and nothing between; ours are ours where their time has come."""

    def __init__(self) -> None:
        super().__init__()
        self._quick = 0

    def weigh(self, now: float, move: Move, row: Sequence[Subject], due: float, middle_x: float) -> Likelihoods:
        found = super().weigh(now, move, row, due, middle_x)
        if found.cause == "ours" or move.before is None or move.after is None:
            return found
        person = self._is_person(now, move, row)
        return Likelihoods(
            camera=float(not person), wish=_ALL_OF_IT * person, brings_back=found.brings_back, at_work=True
        )

    def _is_person(self, now: float, move: Move, row: Sequence[Subject]) -> bool:
        raise NotImplementedError

    def _brought_back(self, now: float, move: Move, within_s: float) -> bool:
        old = self.suspicion
        if old is None or move.after is None or old.gone_at is None or not old.gone_by_us:
            return False
        return old.face == move.after.key and now - old.gone_at <= within_s


class NeverYield(_Rule):
    def _is_person(self, now: float, move: Move, row: Sequence[Subject]) -> bool:
        return False


class AlwaysYield(_Rule):
    """Every move that no press explains, unless the camera had lost its subject."""

    def _is_person(self, now: float, move: Move, row: Sequence[Subject]) -> bool:
        return not move.before_gone


class QuickReturn(_Rule):
    """The first move is corrected; who brings the same face back within 1.2 s of that is obeyed."""

    def _is_person(self, now: float, move: Move, row: Sequence[Subject]) -> bool:
        return self._brought_back(now, move, _QUICK_S)


class LargestIsCameras(_Rule):
    """The planner's former rule: losses and moves to the largest face are the camera's, unless repeated."""

    def _is_person(self, now: float, move: Move, row: Sequence[Subject]) -> bool:
        assert move.before is not None and move.after is not None
        if move.before_gone:
            return False
        if not is_largest(move.after, row):
            return True
        beside = steps_between(move.before, move.after, row) == 1
        self._quick = self._quick + 1 if self._brought_back(now, move, _LARGE_QUICK_S) else 0
        return beside and self._quick >= 2


RULES: dict[str, Callable[[], MoveAttribution]] = {
    "never yield": NeverYield,
    "yield to every move": AlwaysYield,
    "correct the first, yield to a quick return": QuickReturn,
    "largest is the camera's (formerly)": LargestIsCameras,
}


def planner_with(rule: str, yield_s: float) -> Planner:
    """Our planner, but for one of :data:`RULES` in the place of its model; yields are all equally long."""
    return Planner(PlannerParams(yield_s=yield_s), attribution=RULES[rule]())
