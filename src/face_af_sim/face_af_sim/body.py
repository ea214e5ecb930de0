"""A simulated camera body: subject detection that makes mistakes, a selection moved by presses, focus that takes time.

Time is the time of the frames given to :meth:`CameraBody.see`; nothing here looks at a clock, so the
same frames and presses give the same camera.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from face_af_common.images import BGR
from face_af_common.params import param
from face_af_common.types import ActionKind, AfBox, AfState, Box

from .controls import LiveView
from .stage import Actor

_LIVE_VIEW_WIDTH = 640


@dataclass(frozen=True)
class BodyParams:
    """How good or bad the simulated camera is."""

    response_ms: float = param(
        180.0, "from a press to its effect on the selection, mean", unit="ms", low=0.0, high=2000.0
    )
    response_jitter_ms: float = param(40.0, "standard deviation of the response", unit="ms", low=0.0, high=500.0)
    loss: float = param(0.05, "share of presses that have no effect", low=0.0, high=1.0)
    jumps: float = param(
        4.0, "how often the camera moves its selection to the largest face by itself", unit="1/min", low=0.0, high=120.0
    )
    misses: float = param(
        4.0, "how often the camera loses a visible face for a moment", unit="1/min", low=0.0, high=600.0
    )
    miss_s: float = param(0.3, "how long it loses it, mean", unit="s", low=0.0, high=10.0)
    find_s: float = param(0.25, "from a face's appearance to its first box, mean", unit="s", low=0.0, high=5.0)
    focus_s: float = param(0.35, "from a new selection to focus (green), mean", unit="s", low=0.0, high=5.0)
    hold_s: float = param(
        0.8,
        "how long the selection stays with a face that is not detected before it goes elsewhere",
        unit="s",
        low=0.0,
        high=10.0,
    )
    photographer: float = param(
        0.0, "how often a simulated hand moves the selection on the camera itself", unit="1/min", low=0.0, high=120.0
    )


@dataclass
class _Subject:
    """What the camera knows of one face."""

    box: Box
    last: float
    """Time at which the face was last there to be seen."""
    found: float
    """Time from which on it is detected."""
    lost_until: float = -1.0
    detected: bool = False


@dataclass
class _Focus:
    name: str
    since: float
    green_at: float
    unseen_since: float | None = None


@dataclass(frozen=True)
class CameraView:
    """What the camera shows at one time. ``focus`` is empty while nothing is chosen."""

    boxes: tuple[AfBox, ...] = ()
    detected: frozenset[str] = frozenset()
    focus: str = ""
    focused: bool = False
    """The chosen face is detected and sharp (green)."""
    presses: int = 0


@dataclass(order=True)
class _Press:
    at: float
    button: ActionKind = field(compare=False)
    point: tuple[float, float] = field(compare=False, default=(0.5, 0.5))


class CameraBody:
    """Implements :class:`face_af_sim.controls.CameraControls`. :meth:`see` is called once for each frame.

    A press counts from the time of the newest frame, and takes effect at the first frame that is at
    least the response time later. Left and right (up and down) choose the next detected face on that side
    and do nothing at the end of the row; FN1 goes round the faces that stand above one another.
    """

    def __init__(self, params: BodyParams, width: int, height: int, seed: int) -> None:
        self.params = params
        self._width, self._height = width, height
        self._rng = np.random.default_rng([seed, 7])
        # of its own, so that what steering does leaves the rest of the camera's luck as it is
        self._press_rng = np.random.default_rng([seed, 8])
        self._lock = threading.Lock()
        self._now = 0.0
        self._previous: float | None = None
        self._subjects: dict[str, _Subject] = {}
        self._focus: _Focus | None = None
        self._pending: list[_Press] = []
        self._ready_at = 0.0
        self._presses = 0
        self._view = CameraView()
        self._picture: BGR | None = None

    # -- the frames ------------------------------------------------------------------------------

    def see(self, now: float, actors: Sequence[Actor]) -> CameraView:
        """The camera at ``now`` (seconds, not before the last call's), with those people before it."""
        with self._lock:
            step = max(0.0, now - self._previous) if self._previous is not None else 0.0
            self._previous = self._now = now
            self._detect(now, step, actors)
            self._select(now, step)
            self._view = self._show(now)
            return self._view

    def show(self, picture: BGR) -> None:
        """Keeps the newest picture for live view; it must not be changed before the next call."""
        self._picture = picture

    # -- what the wire protocol asks for -----------------------------------------------------------

    def press(self, button: ActionKind) -> None:
        with self._lock:
            self._presses += 1
            self._enqueue(button)

    def set_af_area(self, x: float, y: float) -> None:
        with self._lock:
            self._presses += 1
            self._enqueue(ActionKind.AF_AREA, (x, y))

    def af_drive(self) -> bool:
        with self._lock:
            return self._focus is not None and self._focus.name in self._view.detected

    def live_view(self) -> LiveView | None:
        picture, boxes = self._picture, self._view.boxes
        if picture is None:
            return None
        factor = min(1.0, _LIVE_VIEW_WIDTH / picture.shape[1])
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
        scaled = tuple(AfBox(b.state, b.box.scaled(factor), b.confidence, b.id) for b in boxes)
        return LiveView(jpeg, small.shape[1], small.shape[0], scaled)

    # -- inside --------------------------------------------------------------------------------------

    def _enqueue(self, button: ActionKind, point: tuple[float, float] = (0.5, 0.5)) -> None:
        p = self.params
        lost = self._press_rng.random() < p.loss
        response = max(0.0, self._press_rng.normal(p.response_ms, p.response_jitter_ms)) / 1e3
        if lost:
            return
        # one press after the other: a later one never overtakes
        self._ready_at = max(self._ready_at, self._now + response)
        self._pending.append(_Press(self._ready_at, button, point))

    def _detect(self, now: float, step: float, actors: Sequence[Actor]) -> None:
        p, rng = self.params, self._rng
        present = set()
        for actor in actors:
            seen = self._subjects.get(actor.name)
            # drawn for everyone on every frame, so that one face's luck does not hang on another's
            chance, length, wait = rng.random(), rng.exponential(1.0), rng.uniform(0.5, 1.5)
            jitter = rng.normal(0.0, 0.006, 2)
            there = actor.facing > 0.6 and actor.visible >= (0.55 if seen is not None and seen.detected else 0.65)
            if not there:
                if seen is not None and now - seen.last > 0.1:
                    seen.detected = False
                if seen is not None and now - seen.last > 1.0:
                    del self._subjects[actor.name]
                continue
            present.add(actor.name)
            target = _af_box(actor.face, float(jitter[0]), float(jitter[1]))
            if seen is None or now - seen.last > 1.0:
                seen = self._subjects[actor.name] = _Subject(target, now, now + p.find_s * float(wait))
            elif now - seen.last > 0.25:
                seen.found = now + 0.5 * p.find_s * float(wait)
            seen.last = now
            seen.box = _towards(seen.box, target, 0.6)
            if seen.lost_until <= now and chance < p.misses / 60 * step:
                seen.lost_until = now + p.miss_s * float(length)
            seen.detected = now >= seen.found and now >= seen.lost_until
        for name, subject in self._subjects.items():
            if name not in present and now - subject.last > 0.1:
                subject.detected = False

    def _select(self, now: float, step: float) -> None:
        p, rng = self.params, self._rng
        jump, hand, pick = rng.random(), rng.random(), rng.random()
        due = [press for press in self._pending if press.at <= now]
        self._pending = [press for press in self._pending if press.at > now]
        for press in due:
            self._apply(press, now)
        detected = self._detected()
        if self._focus is not None:
            if self._focus.name in detected:
                self._focus.unseen_since = None
            elif self._focus.unseen_since is None:
                self._focus.unseen_since = now
            elif now - self._focus.unseen_since >= p.hold_s:
                last = self._subjects.get(self._focus.name)
                self._focus = None
                if detected:
                    near = last.box if last is not None else None
                    self._choose(min(detected, key=lambda n: self._appeal(n, near)), now)
        elif detected:
            self._choose(min(detected, key=lambda n: self._appeal(n, None)), now)
        others = sorted(n for n in detected if self._focus is None or n != self._focus.name)
        if others and hand < p.photographer / 60 * step:
            self._choose(others[int(pick * len(others))], now)
        elif others and jump < p.jumps / 60 * step:
            # what makes it leave a subject in sight is a larger one
            largest = max(detected, key=lambda n: detected[n].height)
            if largest in others:
                self._choose(largest, now)

    def _detected(self) -> dict[str, Box]:
        return {name: s.box for name, s in self._subjects.items() if s.detected}

    def _appeal(self, name: str, near: Box | None) -> float:
        """The less, the sooner the camera chooses this face by itself: near where it was, else large and central."""
        box = self._subjects[name].box
        if near is not None:
            return box.distance(near)
        x, y = box.center
        return float(np.hypot(x - self._width / 2, y - self._height / 2)) - 2 * box.height

    def _choose(self, name: str, now: float) -> None:
        if self._focus is not None and self._focus.name == name:
            return
        takes = self.params.focus_s * float(self._press_rng.uniform(0.6, 1.4))
        self._focus = _Focus(name, now, now + takes)

    def _apply(self, press: _Press, now: float) -> None:
        detected = self._detected()
        if not detected:
            return
        if press.button == ActionKind.AF_AREA:
            x, y = press.point[0] * self._width, press.point[1] * self._height
            hit = [n for n, box in detected.items() if box.grown(0.4).contains(x, y)]
            if hit:
                self._choose(min(hit, key=lambda n: detected[n].distance(Box(x, y, 0, 0))), now)
            return
        known = self._subjects.get(self._focus.name) if self._focus is not None else None
        if self._focus is None or known is None:
            return
        here, chosen = known.box, self._focus.name
        name = _neighbour({n: box for n, box in detected.items() if n != chosen}, here, press.button)
        if name is not None:
            self._choose(name, now)

    def _show(self, now: float) -> CameraView:
        detected = self._detected()
        focus = self._focus.name if self._focus is not None else ""
        green = self._focus is not None and focus in detected and now >= self._focus.green_at
        boxes = []
        for name, box in sorted(detected.items()):
            state = AfState.DETECTED
            if name == focus:
                state = AfState.ACTIVE_FOCUS if green else AfState.TRACKED
            boxes.append(AfBox(state, box))
        return CameraView(tuple(boxes), frozenset(detected), focus, green, self._presses)


def _neighbour(others: dict[str, Box], here: Box, button: ActionKind) -> str | None:
    """The face that a press leads to, or None."""
    x, y = here.center
    if button in (ActionKind.LEFT, ActionKind.RIGHT, ActionKind.UP, ActionKind.DOWN):
        axis = 0 if button in (ActionKind.LEFT, ActionKind.RIGHT) else 1
        sign = -1 if button in (ActionKind.LEFT, ActionKind.UP) else 1
        away = {n: sign * (box.center[axis] - (x, y)[axis]) for n, box in others.items()}
        beyond = [n for n in away if away[n] > 0]
        return min(beyond, key=lambda n: (away[n], n)) if beyond else None
    if button == ActionKind.FN1:
        stack = sorted((box.center[1], n) for n, box in others.items() if abs(box.center[0] - x) < here.width)
        below = [n for cy, n in stack if cy > y]
        return below[0] if below else stack[0][1] if stack else None
    return None


def _af_box(face: Box, dx: float, dy: float) -> Box:
    """The square that the camera draws around a face, with the tremble of its detection."""
    side = 0.86 * face.height
    x, y = face.center
    return Box(x - side / 2 + dx * side, y - side / 2 + dy * side, side, side)


def _towards(old: Box, new: Box, share: float) -> Box:
    """The camera's boxes trail behind a moving face."""
    keep = 1 - share
    return Box(
        old.x * keep + new.x * share,
        old.y * keep + new.y * share,
        old.width * keep + new.width * share,
        old.height * keep + new.height * share,
    )
