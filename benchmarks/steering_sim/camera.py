"""A camera body with subject detection: what it selects, how it answers presses, what its picture shows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from face_af_common.types import ActionKind, AfBox, AfState, Box, Face

from .world import Stage, spells

_SETTLE_S = (0.02, 0.066)
_NEARLY_LARGEST = 0.9
_MISSED_S = (1 / 30, 5 / 30)


@dataclass(frozen=True)
class CameraNumbers:
    """What a real body would not tell: drawn anew for every scenario."""

    lag_frames: int
    response_s: float
    jitter: float
    """Response times vary by this share: uniform, with a longer tail now and then."""
    loss: float
    busy_ignores: bool
    """A press that comes before the last one took effect is ignored."""
    settle_s: float
    """For so long after an effect presses are ignored."""
    wrap: bool
    stack: str
    """What FN1 does: ``vertical`` (the face above or below), ``next`` (the next in the row), ``nothing``."""
    side_skips_stack: bool
    """LEFT and RIGHT leave out faces that stand above or below."""
    jump_every_s: float
    jump_random: float
    """Share of the jumps that go to anybody instead of the largest."""
    lose_after_s: float
    after_loss: str
    """``largest``, ``nobody`` (until a press) or ``nearest``."""
    dropout_every_s: float
    misread: float
    """Probability that one box is read with a wrong state in one frame."""
    missing_every_s: float
    false_boxes: float
    box_style: str
    """``face``, ``eye`` or ``head``."""
    name_miss: float
    swap_tracks: bool


def draw_numbers(rng: random.Random, harsh: bool = False) -> CameraNumbers:
    """A body like those that one meets, or a ``harsh`` one, which queues every press and likes to choose nobody."""
    return CameraNumbers(
        lag_frames=rng.choice([2, 2, 2, 3, 3, 4]),
        response_s=rng.uniform(0.08, 0.45 if harsh else 0.35),
        jitter=rng.uniform(0.05, 0.35),
        loss=rng.choice([0.0, 0.03, 0.05, 0.1, 0.2]),
        busy_ignores=rng.random() < (0.2 if harsh else 0.8),
        settle_s=0.0 if harsh else rng.uniform(*_SETTLE_S),
        wrap=rng.random() < 0.25,
        stack=rng.choice(["vertical", "vertical", "next", "nothing"]),
        side_skips_stack=rng.random() < 0.4,
        jump_every_s=rng.choice([25.0, 50.0, 1e9]),
        jump_random=rng.choice([0.0] * 9 + [0.2]),
        lose_after_s=rng.uniform(0.05, 0.5),
        after_loss=rng.choice(["largest", "largest", "nearest", "nobody" if harsh else "largest"]),
        dropout_every_s=rng.choice([60.0, 120.0, 240.0]),
        misread=rng.choice([0.0, 0.002, 0.005, 0.01, 0.02]),
        missing_every_s=rng.choice([3.0, 8.0, 20.0]),
        false_boxes=rng.choice([0.0, 0.0, 0.005]),
        box_style=rng.choice(["face", "face", "eye", "head"]),
        name_miss=rng.choice([0.0, 0.0, 0.02, 0.06]),
        swap_tracks=rng.random() < 0.5,
    )


@dataclass(frozen=True)
class Moment:
    """What there is to know about a camera in one frame."""

    frame: int
    selected: int | None
    detected: list[int]
    busy: bool
    """A press is under way, or the last one has just taken effect."""
    hand_at: float
    """Time of the newest move by the photographer."""


class Camera:
    """The body. Everything random is drawn from ``seed``, the dropouts and jumps before the first press."""

    def __init__(self, stage: Stage, numbers: CameraNumbers, seed: int) -> None:
        self.numbers = numbers
        self._stage = stage
        seconds = stage.frames / stage.fps
        fate = random.Random(seed)
        people = len(stage.faces[0])
        self._dropouts = [spells(fate, seconds, numbers.dropout_every_s, 0.1, 0.8) for _ in range(people)]
        self._jumps = [a for a, _ in spells(fate, seconds, numbers.jump_every_s, 0.0, 0.1)]
        self._press_rng = random.Random(seed + 1)
        self._jump_rng = random.Random(seed + 2)
        self.selected: int | None = None
        self.detected: list[int] = []
        self.pending: list[tuple[float, float, ActionKind, bool]] = []
        """Presses under way: time of effect, time of press, button, lost."""
        self.by_hand: list[float] = []
        """Times of moves by the photographer."""
        self._lost_since: float | None = None
        self._deaf_until = -1.0
        self._frame = -1

    def step(self, frame: int) -> None:
        """Goes on to ``frame``: detection, own will, effects of presses."""
        t = frame / self._stage.fps
        self._frame = frame
        visible = self._stage.visible[frame]
        self.detected = [
            i for i, seen in enumerate(visible) if seen and not any(a <= t < b for a, b in self._dropouts[i])
        ]
        self._own_will(t)
        due = sorted(p for p in self.pending if p[0] <= t)
        self.pending = [p for p in self.pending if p[0] > t]
        for _, _, kind, lost in due:
            if not lost:
                self.selected = self.after(kind)
                self._lost_since = None
                self._deaf_until = t + self.numbers.settle_s

    def _own_will(self, t: float) -> None:
        numbers = self.numbers
        if self.selected is None:
            if (
                self.detected
                and numbers.after_loss != "nobody"
                and (self._lost_since is None or t - self._lost_since > 0.3)
            ):
                self.selected = self._largest()
        elif self.selected not in self.detected:
            if self._lost_since is None:
                self._lost_since = t
            if t - self._lost_since >= numbers.lose_after_s:
                before = self.selected
                self.selected = None
                if self.detected and numbers.after_loss == "largest":
                    self.selected = self._largest()
                elif self.detected and numbers.after_loss == "nearest":
                    self.selected = min(self.detected, key=lambda i: abs(self.place(i)[0] - self.place(before)[0]))
                if self.selected is not None:
                    self._lost_since = None
        else:
            self._lost_since = None
        while self._jumps and self._jumps[0] <= t:
            self._jumps.pop(0)
            if self.detected and self.selected is not None:
                anybody = self._jump_rng.random() < numbers.jump_random
                self.selected = self._jump_rng.choice(self.detected) if anybody else self._largest()

    def place(self, person: int) -> tuple[float, float, float, float]:
        return self._stage.faces[self._frame][person]

    def _largest(self) -> int:
        return max(self.detected, key=lambda i: self.place(i)[2])

    def press(self, t: float, kind: ActionKind) -> None:
        rng, numbers = self._press_rng, self.numbers
        lost = rng.random() < numbers.loss
        stretch = 1 + numbers.jitter * rng.uniform(-1, 1)
        if rng.random() < 0.03:
            stretch += numbers.jitter * 2
        if t < self._deaf_until or (numbers.busy_ignores and self.pending):
            return
        self.pending.append((t + numbers.response_s * stretch, t, kind, lost))

    @property
    def moment(self) -> Moment:
        busy = bool(self.pending) or self._frame / self._stage.fps < self._deaf_until
        hand_at = self.by_hand[-1] if self.by_hand else -1e9
        return Moment(self._frame, self.selected, self.detected, busy, hand_at)

    @contextmanager
    def as_in(self, moment: Moment) -> Iterator[None]:
        """For questions about another moment: puts everything back afterwards."""
        now = self._frame, self.selected, self.detected
        self._frame, self.selected, self.detected = moment.frame, moment.selected, moment.detected
        try:
            yield
        finally:
            self._frame, self.selected, self.detected = now

    def may_choose(self, person: int) -> bool:
        """Whether the camera might go there by itself: the largest face, but for measurement errors."""
        return self.place(person)[2] >= _NEARLY_LARGEST * self.place(self._largest())[2]

    def hand_move(self, t: float, person: int) -> None:
        """The photographer selects somebody."""
        if person != self.selected:
            self.selected = person
            self._lost_since = None
            self.by_hand.append(t)

    def after(self, kind: ActionKind) -> int | None:
        """Who would be selected after a press of ``kind`` now."""
        numbers, detected = self.numbers, self.detected
        if not detected:
            return self.selected
        if self.selected is None:
            return (
                min(detected, key=lambda i: abs(self.place(i)[0] - 960)) if kind != ActionKind.FN1 else self._largest()
            )
        x, y, w, _ = self.place(self.selected)
        others = [i for i in detected if i != self.selected]
        above = [i for i in others if abs(self.place(i)[0] - x) < 0.5 * w and abs(self.place(i)[1] - y) > w]
        if kind in (ActionKind.FN1, ActionKind.UP, ActionKind.DOWN):
            if kind != ActionKind.FN1 or numbers.stack == "vertical":
                return min(above, key=lambda i: abs(self.place(i)[1] - y)) if above else self.selected
            if numbers.stack == "nothing":
                return self.selected
            kind = ActionKind.RIGHT
        if numbers.side_skips_stack:
            others = [i for i in others if i not in above]
        if kind == ActionKind.LEFT:
            side = [i for i in others if self.place(i)[0] < x]
            return max(side, key=lambda i: self.place(i)[0]) if side else self._around(others, left=True)
        if kind == ActionKind.RIGHT:
            side = [i for i in others if self.place(i)[0] >= x]
            return min(side, key=lambda i: self.place(i)[0]) if side else self._around(others, left=False)
        return self.selected

    def _around(self, others: list[int], left: bool) -> int | None:
        if not self.numbers.wrap or not others:
            return self.selected
        return (max if left else min)(others, key=lambda i: self.place(i)[0])


class Vision:
    """What perception and overlay make of the picture: late, sometimes wrong, sometimes with gaps."""

    def __init__(self, stage: Stage, camera: Camera, like_target: list[bool], seed: int) -> None:
        self._stage, self._camera = stage, camera
        self._rng = rng = random.Random(seed + 3)
        seconds = stage.frames / stage.fps
        numbers = camera.numbers
        people = len(like_target)
        self._missing = [spells(rng, seconds, numbers.missing_every_s, *_MISSED_S) for _ in range(people)]
        self._unnamed = spells(rng, seconds, 20.0, 0.1, 0.5) if numbers.name_miss else []
        self._taken_for = [spells(rng, seconds, 6.0, 0.05, 1.2) if like else [] for like in like_target]
        self._likeness = [rng.uniform(-0.15, 0.0) for _ in like_target]
        self._tracks = list(range(1, people + 1))
        self._next_track = people + 1
        self._unseen = [0] * people
        self._delayed: list[tuple[list[Face], list[AfBox]]] = []

    def step(self, frame: int) -> tuple[list[Face], list[AfBox]]:
        self._delayed.append(self._look(frame))
        if len(self._delayed) <= self._camera.numbers.lag_frames:
            return [], []
        return self._delayed.pop(0)

    def _look(self, frame: int) -> tuple[list[Face], list[AfBox]]:
        rng, numbers, camera = self._rng, self._camera.numbers, self._camera
        t = frame / self._stage.fps
        faces: list[Face] = []
        for i, seen in enumerate(self._stage.visible[frame]):
            if not seen or rng.random() < 0.01:
                self._unseen[i] += 1
                continue
            if self._unseen[i] > 15 and numbers.swap_tracks:
                self._tracks[i] = self._next_track
                self._next_track += 1
            self._unseen[i] = 0
            if i == 0:
                named = rng.random() >= numbers.name_miss and not any(a <= t < b for a, b in self._unnamed)
                similarity = rng.gauss(0.62, 0.03)
            else:
                named = any(a <= t < b for a, b in self._taken_for[i])
                similarity = rng.gauss(0.55 + self._likeness[i], 0.04) if named else rng.gauss(0.1, 0.05)
            x, y, w, h = self._stage.faces[frame][i]
            faces.append(Face(self._tracks[i], _jittered(rng, x, y, w, h, 0.02), named, similarity))
        boxes: list[AfBox] = []
        for i in camera.detected:
            if any(a <= t < b for a, b in self._missing[i]):
                continue
            state = AfState.DETECTED
            if i == camera.selected:
                state = AfState.ACTIVE_FOCUS if (frame // 40) % 2 else AfState.TRACKED
            if rng.random() < numbers.misread:
                state = AfState.TRACKED if state == AfState.DETECTED else AfState.DETECTED
            x, y, w, h = self._stage.faces[frame][i]
            if numbers.box_style == "eye":
                x, y, w, h = x + 0.2 * w, y - 0.12 * h, 0.35 * w, 0.35 * w
            elif numbers.box_style == "head":
                y, w, h = y - 0.12 * h, 1.4 * w, 1.3 * h
            boxes.append(AfBox(state, _jittered(rng, x, y, w, h, 0.03)))
        if rng.random() < numbers.false_boxes:
            state = rng.choice([AfState.DETECTED, AfState.TRACKED])
            boxes.append(AfBox(state, Box(rng.uniform(0, 1800), rng.uniform(0, 900), 90, 90)))
        rng.shuffle(boxes)
        return faces, boxes


def _jittered(rng: random.Random, x: float, y: float, w: float, h: float, share: float) -> Box:
    x += rng.gauss(0, share * w)
    y += rng.gauss(0, share * h)
    w *= 1 + rng.gauss(0, share)
    h *= 1 + rng.gauss(0, share)
    return Box(x - w / 2, y - h / 2, w, h)
