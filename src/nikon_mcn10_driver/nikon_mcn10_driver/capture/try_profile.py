"""A guided session with the camera: presses one button at a time and watches the HDMI frame for the effect.

Works through topics and the ``press`` service of the running nodes (capture, overlay and driver, with steering paused).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from face_af_common.files import write_text
from face_af_common.types import AfBox, AfState

from ..profile import Measured, Profile, ProfileError
from ..profile_format import format_profile, load_profile

LONGEST_RESPONSE = 1.5
"""Seconds after which a press without effect counts as lost."""

PAUSE = 0.4
"""Seconds between an effect and the next press."""

_MOVED = 0.5
"""How far a selection moves, in widths of its box, before it is called moved: subjects sway."""

_MOST_LOST = 0.5

SIDES = {"left": -1, "right": 1}
"""Buttons whose effect shows in the frame, and which way they go."""


class Stopped(Exception):
    """The session ended early; the text says why."""


class Eyes:
    """What a session needs of the nodes; :mod:`.try_node` is the real one."""

    def press(self, button: str) -> str:
        """Presses; empty when the camera took it, else its answer."""
        raise NotImplementedError

    def look(self, seconds: float) -> tuple[float, tuple[AfBox, ...]] | None:
        """The next reading of the boxes and when its frame was taken (seconds); None when there is none in time."""
        raise NotImplementedError

    def reload(self) -> None:
        """Has the driver read its profile again."""

    def now(self) -> float:
        """The clock of the frames, seconds."""
        raise NotImplementedError


@dataclass
class Trial:
    """One press: ``response`` seconds to its effect, None when there was none; ``wrapped``: it went over the edge;
    ``astray``: to the other side, though there were others on its own."""

    button: str
    response: float | None
    wrapped: bool = False
    at_edge: bool = False
    astray: bool = False


@dataclass
class Session:
    """Presses left and right in turn through all subjects, and writes down what happens."""

    eyes: Eyes
    say: Callable[[str], None] = print
    trials: list[Trial] = field(default_factory=list)
    _stamp: float = 0.0

    def run(self, buttons: Sequence[str], presses: int) -> Measured:
        """``presses`` of each button; :class:`Stopped` at the first answer that the recordings never had."""
        for button in buttons:
            if button not in SIDES:
                self._press(button)
                self.say(f"{button}: the camera took it")
        left_over = {button: presses for button in buttons if button in SIDES}
        while left_over:
            # to the edge and once beyond it, then back
            button = next(iter(left_over))
            while left_over.get(button):
                left_over[button] -= 1
                if self._trial(button).at_edge and len(left_over) > 1:
                    break
            over = left_over.pop(button)
            if over:
                left_over[button] = over
        return self.measured()

    def _press(self, button: str) -> None:
        answer = self.eyes.press(button)
        if answer:
            raise Stopped(f"after {button.upper()}: {answer}")

    def _trial(self, button: str) -> Trial:
        before = self._selection()
        if before is None:
            raise Stopped("no selected box is read in the frame; is subject detection on?")
        boxes, chosen = before
        pressed = self.eyes.now()
        self._press(button)
        way = SIDES[button]
        beyond = [box for box in boxes if way * (box.box.center[0] - chosen.box.center[0]) > _MOVED * chosen.box.width]
        trial = Trial(button, None, at_edge=not beyond)
        while (reading := self._selection(pressed + LONGEST_RESPONSE)) is not None:
            stamp, now = self._stamp, reading[1]
            if stamp > pressed and now.box.distance(chosen.box) > max(_MOVED * chosen.box.width, 1.0):
                away = way * (now.box.center[0] - chosen.box.center[0])
                trial.response = stamp - pressed
                trial.wrapped, trial.astray = away < 0 and not beyond, away < 0 and bool(beyond)
                break
            if stamp > pressed + LONGEST_RESPONSE:
                break
            # from frame to frame, because people walk
            chosen = now
        self._note(trial)
        end = self.eyes.now() + PAUSE
        while self.eyes.now() < end and self.eyes.look(PAUSE) is not None:
            pass
        return trial

    def _note(self, trial: Trial) -> None:
        self.trials.append(trial)
        effect = "no effect" if trial.response is None else f"moved after {trial.response * 1e3:.0f} ms"
        effect += ", to the other side" if trial.astray else ""
        effect += ", over the edge" if trial.wrapped else ", at the edge" if trial.at_edge else ""
        self.say(f"{trial.button}: {effect}")
        tried = [t for t in self.trials if not t.at_edge]
        astray = sum(t.astray for t in tried)
        # a camera may move its selection by itself, but not again and again
        if astray >= 2 and 2 * astray > sum(t.response is not None for t in tried):
            raise Stopped(f"{trial.button.upper()} moves the selection to the wrong side; are the buttons swapped?")
        if len(tried) >= 6 and sum(t.response is None for t in tried) > _MOST_LOST * len(tried):
            raise Stopped("most presses have no effect in the frame")

    def _selection(self, until: float | None = None) -> tuple[tuple[AfBox, ...], AfBox] | None:
        """The next reading with a selected box in it."""
        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            reading = self.eyes.look(1.0)
            if reading is None:
                if until is not None and self.eyes.now() > until:
                    return None
                continue
            self._stamp, boxes = reading
            chosen = [box for box in boxes if box.state in (AfState.ACTIVE_FOCUS, AfState.TRACKED)]
            if chosen:
                return boxes, chosen[0]
            if until is not None and self._stamp > until:
                return None
        return None

    def measured(self) -> Measured:
        """Response, spread, loss and wrap of the presses so far."""
        tried = [t for t in self.trials if not t.at_edge]
        responses = [t.response for t in self.trials if t.response is not None and not t.astray]
        if not responses and any(t.astray for t in tried):
            raise Stopped("presses move the selection to the wrong side; are the buttons swapped?")
        if not tried or not responses:
            raise Stopped("no press had an effect in the frame; nothing was measured")
        edges = [t for t in self.trials if t.at_edge]
        wrap = None
        if len(edges) >= 2:
            wrapped = sum(t.wrapped for t in edges)
            wrap = True if wrapped > 0.6 * len(edges) else False if wrapped <= 0.2 * len(edges) else None
        return Measured(
            response=round(statistics.median(responses), 3),
            spread=round(statistics.pstdev(responses), 3),
            loss=round(sum(t.response is None for t in tried) / len(tried), 3),
            presses=len(tried),
            wrap=wrap,
        )


def try_profile(
    name: str, buttons: Sequence[str], presses: int, open_eyes: Callable[[], AbstractContextManager[Eyes]]
) -> int:
    """Tries the profile file ``name`` and writes into it what was measured. Exit status as the command's."""
    path = Path(name).expanduser()
    try:
        profile: Profile = load_profile(str(path), path.parent)
    except ProfileError as error:
        print(f"learn_profile: {error}", file=sys.stderr)
        return 2
    missing = [b for b in buttons if b not in {kind.name.lower() for kind in profile.buttons}]
    if missing:
        print(f"learn_profile: {path} has no button {', '.join(missing)}", file=sys.stderr)
        return 2
    try:
        with open_eyes() as eyes:
            return _session(path, profile, eyes, buttons, presses)
    except Stopped as reason:
        print(f"learn_profile: {reason}", file=sys.stderr)
        return 1


def _session(path: Path, profile: Profile, eyes: Eyes, buttons: Sequence[str], presses: int) -> int:
    try:
        measured = Session(eyes).run(buttons, presses)
    except Stopped as reason:
        print(f"learn_profile: stopped: {reason}; the profile is unchanged", file=sys.stderr)
        return 1
    write_text(path, format_profile(replace(profile, measured=measured)))
    eyes.reload()
    wrap = {None: "unknown", True: "yes", False: "no"}[measured.wrap]
    print(
        f"{path}: response {(measured.response or 0) * 1e3:.0f} ms (± {(measured.spread or 0) * 1e3:.0f}), "
        f"{(measured.loss or 0) * 100:.0f} % of {measured.presses} presses lost, wrap: {wrap}"
    )
    return 0
