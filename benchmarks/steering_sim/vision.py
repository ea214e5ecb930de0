"""What perception and overlay make of the camera's picture: late, sometimes wrong, sometimes with gaps."""

from __future__ import annotations

import random

from face_af_common.types import AfBox, AfState, Box, Face

from .camera import Camera
from .world import Stage, spells

_MISSED_S = (1 / 30, 5 / 30)
"""A box is not read for so long."""


class Vision:
    """Faces with names, and boxes with states, of each frame; the camera's lag included."""

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
