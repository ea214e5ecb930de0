"""Draws the stage: a dark backdrop with lights, people in front of it, and what can be seen of their faces."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from face_af_common.images import BGR
from face_af_common.types import Box

from .choreography import HEIGHT, LANES, WIDTH, Placement
from .people import Figures
from .sprites import Sprite

_SQUEEZES = (1.0, 0.8, 0.55)
"""Widths at which people are drawn: the first as they stand, the others while they turn."""


@dataclass(frozen=True)
class Actor:
    """One person as the camera could see them: the face's box in picture pixels (it may reach outside).

    ``visible``: share of the face that is inside the picture and not hidden, 0 to 1. ``facing``: as in
    :class:`~face_af_sim.choreography.Placement`.
    """

    name: str
    face: Box
    visible: float
    facing: float


@dataclass(frozen=True)
class _Cutout:
    """A person as they stand or turn, and where the face is in it."""

    sprite: Sprite
    face: Box


_TURNING = 8
"""Prepared cut-outs of people who turn: a turn takes four of them."""


class Stage:
    """Pictures of ``width`` x ``height`` pixels with the given people; people who stand are cut out once and kept."""

    def __init__(self, figures: Sequence[Figures], width: int, height: int, seed: int = 0) -> None:
        self.width, self.height = width, height
        self._unit = height / HEIGHT
        self._backdrop = backdrop(width, height, seed)
        self._spots = [_spot(int(170 * self._unit), colour) for colour in ((58, 16, 20), (14, 14, 60), (44, 44, 8))]
        self._standing = {
            (figure.name, lane, behind): self._stand(figure, lane, behind)
            for figure in figures
            for lane in range(len(LANES))
            for behind in (False, True)
        }
        self._turning = functools.lru_cache(maxsize=_TURNING)(self._turn)

    def actors(self, placements: Sequence[Placement]) -> list[Actor]:
        """Where the faces are and how much of each can be seen; same order as ``placements``."""
        placed = [(p, *self._position(p)) for p in placements]
        actors = []
        for i, (placement, cutout, left, top) in enumerate(placed):
            face = Box(left + cutout.face.x, top + cutout.face.y, cutout.face.width, cutout.face.height)
            actors.append(Actor(placement.name, face, self._visible(face, placed[i + 1 :]), placement.facing))
        return actors

    def render(self, now: float, placements: Sequence[Placement], out: BGR | None = None) -> BGR:
        """The picture at ``now`` (seconds), people painted in the order given; into ``out`` when there is one."""
        picture = np.empty((self.height, self.width, 3), np.uint8) if out is None else out
        np.copyto(picture, self._backdrop)
        for i, spot in enumerate(self._spots):
            x = 0.5 + 0.42 * math.sin(now * (0.23 + 0.05 * i) + 2.1 * i)
            y = 0.20 + 0.12 * math.sin(now * (0.31 + 0.04 * i) + 1.3 * i)
            _add(picture, spot, int(x * self.width), int(y * self.height))
        for placement in placements:
            cutout, left, top = self._position(placement)
            cutout.sprite.paint(picture, left, top)
        return picture

    def _position(self, placement: Placement) -> tuple[_Cutout, int, int]:
        who = placement.name, placement.lane, placement.facing < 0
        squeeze = _squeeze(placement.facing)
        cutout = self._standing[who] if squeeze == _SQUEEZES[0] else self._turning(*who, squeeze)
        x, y = placement.x * self.width / WIDTH, placement.y * self._unit
        return cutout, round(x - cutout.face.center[0]), round(y - cutout.face.center[1])

    def _stand(self, figure: Figures, lane: int, behind: bool) -> _Cutout:
        scale = LANES[lane] * self._unit / figure.face.height
        whole = figure.back if behind else figure.front
        # nothing below the picture's lower edge is ever seen
        keep = min(whole.shape[0], int((self.height + LANES[lane] * self._unit) / scale))
        size = (max(8, round(whole.shape[1] * scale)), max(8, round(keep * scale)))
        small = cv2.resize(whole[:keep], size, interpolation=cv2.INTER_AREA)
        dim = 0.80 + 0.20 * lane / max(1, len(LANES) - 1)
        colour = np.ascontiguousarray(cv2.convertScaleAbs(small[:, :, :3], alpha=dim), np.uint8)
        sx, sy = size[0] / whole.shape[1], size[1] / keep
        face = Box(figure.face.x * sx, figure.face.y * sy, figure.face.width * sx, figure.face.height * sy)
        return _Cutout(Sprite.of(colour, np.asarray(small[:, :, 3], np.uint8), self.width), face)

    def _turn(self, name: str, lane: int, behind: bool, squeeze: float) -> _Cutout:
        standing = self._standing[name, lane, behind]
        sprite, face = standing.sprite, standing.face
        size = (max(8, round(sprite.width * squeeze)), sprite.height)
        colour, alpha = (
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
            for plane in (sprite.colour, sprite.alpha)
        )
        sx = size[0] / sprite.width
        return _Cutout(Sprite.of(colour, alpha, self.width), Box(face.x * sx, face.y, face.width * sx, face.height))

    def _visible(self, face: Box, nearer: Sequence[tuple[Placement, _Cutout, int, int]]) -> float:
        xs, ys = face.x + face.width * _GRID[:, 0], face.y + face.height * _GRID[:, 1]
        free = (xs >= 0) & (xs < self.width) & (ys >= 0) & (ys < self.height)
        for _, cutout, left, top in nearer:
            sprite = cutout.sprite
            height, width = sprite.height, sprite.width
            if left >= face.right or left + width <= face.x or top >= face.bottom:
                continue
            x, y = (xs - left).astype(int), (ys - top).astype(int)
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            covered = np.zeros(len(xs), bool)
            covered[inside] = sprite.alpha[y[inside], x[inside]] == 255
            free &= ~covered
        return float(free.mean())


def backdrop(width: int, height: int, seed: int) -> BGR:
    """The empty stage: curtain, floor, a row of lamps with their beams. Never quite the same for two seeds."""
    rng = np.random.default_rng([seed, 99])
    unit = height / HEIGHT
    x = np.linspace(0, WIDTH, width, dtype=np.float32)[None, :]
    y = np.linspace(0, HEIGHT, height, dtype=np.float32)[:, None]
    folds = np.zeros_like(x)
    for wave in (23.0, 41.0, 87.0):
        folds += np.sin(x / wave + float(rng.uniform(0, 6)) + 1.5 * np.sin(x / 260.0 + float(rng.uniform(0, 6))))
    curtain = (0.5 + 0.13 * folds) * (0.35 + 0.65 * np.exp(-(((y - 420) / 420) ** 2)))
    tint = np.array([(0.80, 0.34, 0.46), (0.36, 0.22, 0.70), (0.66, 0.52, 0.24)][int(rng.integers(3))], np.float32)
    picture = (34.0 + 62.0 * curtain)[..., None] * tint
    horizon = 905.0
    floor = np.clip((y - horizon) / 8, 0, 1)
    gloss = 26 + 62 * np.clip((y - horizon) / (HEIGHT - horizon), 0, 1) * np.exp(-(((x - WIDTH / 2) / 700) ** 2))
    boards = 1 + 0.05 * np.sign(np.sin((x - WIDTH / 2) / (0.12 * np.maximum(y - 700, 1))))
    wood = (gloss * boards)[..., None] * np.array((0.62, 0.80, 1.0), np.float32)
    picture = picture * (1 - floor[..., None]) + wood * floor[..., None]
    lamps = np.linspace(180, WIDTH - 180, 6) + rng.uniform(-30, 30, 6)
    colours = np.array([(1.0, 0.75, 0.55), (0.55, 0.75, 1.0), (1.0, 0.55, 0.9)], np.float32)
    for i, lamp in enumerate(lamps):
        slant = float(rng.uniform(-0.35, 0.35))
        down = np.maximum(y - 60, 0)
        across = (x - lamp - slant * down) / (26 + 0.20 * down)
        beam = 46 * np.exp(-(across**2) * 2) * np.exp(-down / 620) * (y > 60)
        picture += beam[..., None] * colours[i % 3]
    noise = rng.normal(0, 1.2, picture.shape).astype(np.float32)
    image = np.asarray(np.clip(picture + noise, 0, 255), np.uint8)
    cv2.rectangle(image, (0, int(34 * unit)), (width, int(52 * unit)), (24, 24, 24), -1)
    for i, lamp in enumerate(lamps):
        at = (int(lamp * width / WIDTH), int(62 * unit))
        cv2.circle(image, at, int(24 * unit), (30, 30, 30), -1, cv2.LINE_AA)
        cv2.circle(image, at, int(15 * unit), tuple(float(v) * 255 for v in colours[i % 3]), -1, cv2.LINE_AA)
        cv2.circle(image, at, int(8 * unit), (255, 255, 255), -1, cv2.LINE_AA)
    return image


_GRID = np.array(
    [
        (0.5 + 0.42 * a, 0.5 + 0.44 * b)
        for a in np.linspace(-1, 1, 7)
        for b in np.linspace(-1, 1, 7)
        if a * a + b * b <= 1.05
    ]
)
"""Points of a face, in shares of its box, at which it is asked whether it can be seen."""


def _squeeze(facing: float) -> float:
    """Width of a person who looks that way, as one of the prepared ones."""
    wanted = abs(facing)
    return _SQUEEZES[0] if wanted > 0.85 else _SQUEEZES[1] if wanted > 0.5 else _SQUEEZES[2]


def _spot(radius: int, colour: tuple[int, int, int]) -> BGR:
    grid = np.linspace(-1, 1, 2 * radius, dtype=np.float32)
    fade = np.clip(1 - grid[None, :] ** 2 - grid[:, None] ** 2, 0, 1) ** 1.5
    return np.asarray(fade[..., None] * np.array(colour, np.float32), np.uint8)


def _add(picture: BGR, spot: BGR, x: int, y: int) -> None:
    """Adds light, its middle at ``x``, ``y``."""
    left, top = x - spot.shape[1] // 2, y - spot.shape[0] // 2
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + spot.shape[1]), min(picture.shape[0], top + spot.shape[0])
    if x1 > x0 and y1 > y0:
        part = picture[y0:y1, x0:x1]
        cv2.add(part, spot[y0 - top : y1 - top, x0 - left : x1 - left], dst=part)
