"""Whether and for how long the photographer is obeyed: what each mistake costs, and who insists."""

from __future__ import annotations

from .clock import NEVER
from .move_attribution import Likelihoods, Suspicion
from .params import PlannerParams

_AGAINST_FIRST_STEP_S = 40.0
"""A press against the first step of a photographer who surely is at work costs as much as so many seconds off the
target: with 5 s of ``yield_s`` the step is left alone unless a camera is eight times likelier. ``photographer_weight``
multiplies it."""
_AGAINST_RETURN_S = 4.0
"""... against one who may have brought a face back: less, for the next return makes it plain."""
_SURELY_INSISTS = 2
"""Who has brought the same face back so often is obeyed, unless it is likelier that a restless camera did it."""
_SURE = 10.0
"""... or where all moves of the wish together say so by such odds: in the newest, boxes may have been misread."""
_LONGEST = 4
"""At most so many times ``yield_s``."""
_ALWAYS = 2
"""Times ``yield_s`` with ``photographer: always``: who asked for it is not asked again soon."""


class Yielding:
    """Until when no presses go out, because the photographer wants it so."""

    def __init__(self) -> None:
        self.until = NEVER
        self.reason = ""
        self._before = NEVER

    def end(self) -> None:
        self.until = self._before = NEVER

    def remember(self) -> None:
        """A move is judged next, which may turn out to be misread."""
        self._before = self.until

    def take_back(self) -> None:
        """The newest move was misread: what held before it holds on."""
        self.until, self._before = self._before, self.until

    def judge(self, now: float, found: Likelihoods, suspicion: Suspicion, params: PlannerParams) -> bool:
        """Obeys the newest move, or not. ``suspicion``: what is suspected since."""
        if not self._obeys(found, suspicion, params):
            return False
        suspicion.obeyed = True
        self.until = max(self.until, now + self._length_s(suspicion, params))
        self.reason = f"the photographer {_deed(found, suspicion)} ({found.person:.0%} sure)"
        return True

    def _obeys(self, found: Likelihoods, suspicion: Suspicion, params: PlannerParams) -> bool:
        if params.photographer == "never":
            return False
        if params.photographer == "always":
            return found.plausible or found.cause == "photographer"
        if suspicion.insisted >= _SURELY_INSISTS and (found.person > 0.5 or suspicion.insists_odds > _SURE):
            return True
        goes_on = found.goes_on > found.wish
        if not (goes_on or found.at_work):  # to correct a first step costs little, and shows what it was
            return False
        cost_s = _AGAINST_RETURN_S if goes_on else _AGAINST_FIRST_STEP_S
        against = found.person * params.photographer_weight * cost_s
        return against > (1.0 - found.person) * params.yield_s

    def _length_s(self, suspicion: Suspicion, params: PlannerParams) -> float:
        """Twice as long each time the photographer insists again."""
        times = 2.0 ** max(suspicion.insisted - 1, 0)
        if params.photographer == "always":
            times *= _ALWAYS
        return min(times, _LONGEST) * params.yield_s


def _deed(found: Likelihoods, suspicion: Suspicion) -> str:
    if suspicion.insisted > 1:
        return f"brought the same face back {suspicion.insisted} times"
    if suspicion.insisted:
        return "brought the same face back"
    return "goes on stepping" if found.goes_on > found.wish else "moved the selection"
