"""Labelled test pictures for the overlay detector: AF boxes on photographs, as HDMI shows them.

A picture is a function of (backgrounds, seed, index), so tests and benchmarks can name the one that
went wrong. Photographs are split by the hash of their name into one half for tuning and one for judging.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import AfBox, AfState, Box

from .af_graphics import AfBoxStyle, Colour, OsdReadings, draw_af_box, draw_osd
from .hdmi import HdmiArtefacts, transmit
from .overlay_kinds import KINDS, Kind, eye_boxes

BGR = NDArray[np.uint8]


@dataclass(frozen=True)
class LabelledPicture:
    """One test picture: ``image`` (H x W x 3 uint8 BGR) and what was drawn on it."""

    image: BGR
    boxes: tuple[AfBox, ...]
    style: AfBoxStyle
    artefacts: HdmiArtefacts
    background: str


@dataclass(frozen=True)
class Recipe:
    """What the generator may draw. Sizes and lines are those of a picture 1080 high and scale with its height."""

    width: int = 1920
    height: int = 1080
    boxes: tuple[int, int] = (1, 5)
    """Least and most boxes a picture; (0, 0) makes pictures without any."""
    sizes: tuple[float, float] = (24.0, 320.0)
    aspect: float = 1.5
    lines: tuple[float, float] = (2.0, 5.0)
    osd: float = 0.5
    """Share of pictures with the on-screen display."""
    distractors: tuple[int, int] = (0, 3)
    """Least and most drawn windows, frames, grids, texts … a picture."""
    artefacts: bool = True
    hard: bool = False
    """More than cameras and capture cards usually do, all at once: blended lines, lines with dark edges,
    outlines of which up to 30 % cannot be told from the ground, stronger blur and a card that scales."""
    kind: str = "plain"
    """How the boxes are drawn, and what beside them: a key of :data:`face_af_sim.overlay_kinds.KINDS`."""


def photographs(folder: str | os.PathLike[str], judge: bool) -> list[Path]:
    """The folder's photographs of one half: for judging, or for tuning."""
    names = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    return [p for p in names if (hashlib.sha256(p.name.encode()).digest()[0] % 2 == 1) == judge]


class OverlayPictures:
    """The generator. ``photos`` are files; without any, backgrounds are drawn (see :func:`painted_background`)."""

    def __init__(self, photos: Sequence[Path] = (), recipe: Recipe | None = None, seed: int = 0) -> None:
        self._photos = list(photos)
        self._recipe = recipe or Recipe()
        self._seed = seed

    def picture(self, index: int) -> LabelledPicture:
        """Picture number ``index``; always the same one."""
        recipe = self._recipe
        kind = KINDS[recipe.kind]
        rng = np.random.default_rng((self._seed, index))
        # of its own, so that the same number of every kind shows the same boxes on the same ground
        extra = np.random.default_rng((self._seed, index, 1))
        if kind.drawn_height:
            drawn = replace(recipe, width=recipe.width * kind.drawn_height // recipe.height, height=kind.drawn_height)
            image, boxes, style, name = self._drawn(drawn, kind, rng, extra)
            image = np.asarray(
                cv2.resize(image, (recipe.width, recipe.height), interpolation=cv2.INTER_CUBIC), np.uint8
            )
            factor = recipe.height / kind.drawn_height
            boxes = [replace(box, box=box.box.scaled(factor)) for box in boxes]
            style = replace(style, line=style.line * factor)
        else:
            image, boxes, style, name = self._drawn(recipe, kind, rng, extra)
        artefacts = _artefacts(rng, recipe.hard) if recipe.artefacts else HdmiArtefacts()
        if kind.chroma_420:
            artefacts = replace(artefacts, chroma_420=True, chroma_422=False)
        return LabelledPicture(transmit(image, artefacts, rng), tuple(boxes), style, artefacts, name)

    def _drawn(
        self, recipe: Recipe, kind: Kind, rng: np.random.Generator, extra: np.random.Generator
    ) -> tuple[BGR, list[AfBox], AfBoxStyle, str]:
        """The frame before the cable, the boxes on it and their style, and the background's name."""
        image, name = self._background(recipe, rng)
        scale = recipe.height / 1080
        placed: list[Box] = []
        for _ in range(int(rng.integers(recipe.boxes[0], recipe.boxes[1] + 1))):
            box = _place(rng, recipe, placed)
            if box is not None:
                placed.append(box)
        for _ in range(int(rng.integers(recipe.distractors[0], recipe.distractors[1] + 1))):
            _distract(image, rng, placed, scale)
        if rng.random() < recipe.osd:
            draw_osd(image, _readings(rng))
        style = _style(rng, recipe, scale)
        if kind.restyle is not None:
            style = kind.restyle(style, extra, scale)
        if kind.behind is not None:
            kind.behind(image, extra, scale)
        boxes = []
        for box in placed:
            state = AfState(int(rng.choice([1, 2, 3], p=[0.45, 0.25, 0.3])))
            if _contrast(image, box, style.colours[state]) < (0.7 if recipe.hard else 0.8):
                continue
            whole = Box(*(float(round(v)) for v in (box.x, box.y, box.width, box.height)))
            boxes.append(AfBox(state, box if rng.random() < 0.3 else whole))
            _draw(image, boxes[-1], style)
        if kind.eyes:
            for eye in eye_boxes(boxes, extra, scale):
                boxes.append(eye)
                _draw(image, eye, style)
        if kind.beside is not None:
            kind.beside(image, boxes, style, extra, scale)
        return image, boxes, style, name

    def _background(self, recipe: Recipe, rng: np.random.Generator) -> tuple[BGR, str]:
        if not self._photos:
            return painted_background(rng, recipe.width, recipe.height), "painted"
        path = self._photos[int(rng.integers(len(self._photos)))]
        photo = _load(path)
        zoom = max(recipe.width / photo.shape[1], recipe.height / photo.shape[0]) * rng.uniform(1.0, 1.4)
        if zoom > 1.8 and rng.random() < 0.7:
            # a small photograph enlarged is all blur: show it several times over instead
            tiles = int(np.ceil(zoom / 1.2))
            photo = np.tile(photo, (tiles, tiles, 1))
            zoom /= tiles
        wide = cv2.resize(photo, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
        wide = _at_least(np.asarray(wide, np.uint8), recipe.width, recipe.height)
        y = int(rng.integers(wide.shape[0] - recipe.height + 1))
        x = int(rng.integers(wide.shape[1] - recipe.width + 1))
        image = wide[y : y + recipe.height, x : x + recipe.width]
        if rng.random() < 0.5:
            image = image[:, ::-1]
        gain = rng.uniform(0.35, 1.0) if rng.random() < 0.4 else rng.uniform(0.9, 1.15)
        return np.asarray(cv2.convertScaleAbs(np.ascontiguousarray(image), alpha=gain), np.uint8), path.name


def _draw(image: BGR, box: AfBox, style: AfBoxStyle) -> None:
    # an arm shorter than this is a dot, not a bracket
    arm = max(style.arm, (2 * style.line + 3) / min(box.box.width, box.box.height))
    draw_af_box(image, box.box, box.state, replace(style, arm=min(arm, 0.45)))


@lru_cache(maxsize=80)
def _load(path: Path) -> BGR:
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if photo is None:
        raise ValueError(f"{path} is not a picture")
    factor = 1600 / max(photo.shape[:2])
    if factor < 1:
        photo = cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(photo, np.uint8)


def _at_least(image: NDArray[np.uint8], width: int, height: int) -> BGR:
    down, right = max(0, height - image.shape[0]), max(0, width - image.shape[1])
    return np.asarray(cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REFLECT), np.uint8)


def painted_background(rng: np.random.Generator, width: int, height: int) -> BGR:
    """A stage without photographs: soft light, blobs of cloth and skin colours, grain, edges and spots of light."""
    coarse = rng.integers(0, 256, (int(rng.integers(3, 9)), int(rng.integers(4, 14)), 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    fine = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1)).astype(np.uint8)
    texture = cv2.resize(fine, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16) - 128
    image = np.clip(image + (texture * rng.uniform(0, 0.35)).astype(np.int16)[..., None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(6, 30))):
        at = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(8, 260)), int(rng.integers(8, 260))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.ellipse(image, at, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    gain = rng.uniform(0.4, 1.0)
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)


def _place(rng: np.random.Generator, recipe: Recipe, placed: list[Box]) -> Box | None:
    """A random box that overlaps the others at most as two people in a group do."""
    scale = recipe.height / 1080
    low, high = recipe.sizes
    for _ in range(30):
        side = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * scale
        aspect = float(recipe.aspect ** rng.uniform(-1, 1)) if rng.random() < 0.6 else 1.0
        width, height = side * aspect**0.5, side / aspect**0.5
        width, height = (min(max(v, low * scale), high * scale) for v in (width, height))
        margin = 8 * scale
        x = float(rng.uniform(margin, recipe.width - width - margin))
        y = float(rng.uniform(margin, recipe.height - height - margin))
        if placed and rng.random() < 0.3:
            near = placed[int(rng.integers(len(placed)))]
            x = float(np.clip(near.x + rng.uniform(-0.8, 0.8) * near.width, margin, recipe.width - width - margin))
            y = float(np.clip(near.y + rng.uniform(-0.8, 0.8) * near.height, margin, recipe.height - height - margin))
        box = Box(x, y, width, height)
        if all(box.iou(other) < 0.4 and not _lines_touch(box, other, 10 * scale) for other in placed):
            return box
    return None


def _contrast(image: BGR, box: Box, colour: Colour) -> float:
    """Share of the box's outline on which a person could see a line of that colour."""
    x0, y0, x1, y1 = round(box.x), round(box.y), round(box.right) - 1, round(box.bottom) - 1
    under = np.concatenate([image[y0, x0:x1], image[y1, x0:x1], image[y0:y1, x0], image[y0:y1, x1]]).astype(int)
    return float(np.mean(np.abs(under - np.array(colour)).max(axis=1) > 22))


def _lines_touch(one: Box, other: Box, gap: float) -> bool:
    """Whether two parallel sides lie so close together, and side by side, that they would be one line."""
    across = min(one.right, other.right) - max(one.x, other.x) > -gap
    down = min(one.bottom, other.bottom) - max(one.y, other.y) > -gap
    columns = any(abs(a - b) < gap for a in (one.x, one.right) for b in (other.x, other.right))
    rows = any(abs(a - b) < gap for a in (one.y, one.bottom) for b in (other.y, other.bottom))
    return across and down and (columns or rows)


def _style(rng: np.random.Generator, recipe: Recipe, scale: float) -> AfBoxStyle:
    line = float(rng.integers(round(recipe.lines[0]), round(recipe.lines[1]) + 1))
    corners = bool(rng.random() < 0.5)
    return AfBoxStyle(
        line=max(1.5, line * scale),
        corners=corners,
        arm=float(rng.uniform(0.2, 0.4 if recipe.hard else 0.35)),
        opacity=float(rng.uniform(0.8, 1.0)) if recipe.hard and rng.random() < 0.25 else 1.0,
        shadow=float(rng.uniform(0.2, 0.8)) if recipe.hard and rng.random() < 0.25 else 0.0,
        colours=_colours(rng),
    )


def _colours(rng: np.random.Generator) -> Mapping[AfState, Colour]:
    gray, white = int(rng.integers(110, 191)), int(rng.integers(228, 256))
    hue, saturation, value = int(rng.integers(45, 76)), int(rng.integers(150, 256)), int(rng.integers(150, 256))
    green = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    tint = rng.integers(-4, 5, 3)
    return {
        AfState.DETECTED: tuple(int(gray + t) for t in tint),  # type: ignore[dict-item]
        AfState.TRACKED: (white, white, white),
        AfState.ACTIVE_FOCUS: tuple(int(v) for v in green),  # type: ignore[dict-item]
    }


def _artefacts(rng: np.random.Generator, hard: bool) -> HdmiArtefacts:
    return HdmiArtefacts(
        chroma_422=bool(rng.random() < 0.7),
        jpeg_quality=int(rng.integers(65 if hard else 70, 91)) if rng.random() < 0.7 else 0,
        blur=float(rng.uniform(0.3, 0.9 if hard else 0.7)) if rng.random() < 0.4 else 0.0,
        noise=float(rng.uniform(1.0, 4.5 if hard else 4.0)) if rng.random() < 0.5 else 0.0,
        scale=float(rng.uniform(0.8, 1.2)) if hard and rng.random() < 0.15 else 1.0,
    )


def _readings(rng: np.random.Generator) -> OsdReadings:
    return OsdReadings(
        shutter=str(rng.choice(["1/60", "1/250", "1/500", "1/2000"])),
        iso=int(rng.choice([64, 400, 1600, 12800])),
        battery=float(rng.random()),
        roll=float(rng.normal(0, 2)) if rng.random() < 0.6 else None,
        recording=bool(rng.random() < 0.5),
        elapsed=float(rng.uniform(0, 900)),
        grid=bool(rng.random() < 0.3),
    )


def _distract(image: BGR, rng: np.random.Generator, keep_off: Sequence[Box], scale: float) -> None:
    """Draws one thing that resembles a box and is none, away from the boxes (an AF box lies over the scene)."""
    height, width = image.shape[:2]
    w, h = (round(float(rng.uniform(40, 300)) * scale) for _ in range(2))
    x, y = int(rng.integers(0, max(1, width - w))), int(rng.integers(0, max(1, height - h)))
    shade = int(rng.integers(100, 256))
    colour = (shade, shade, shade) if rng.random() < 0.6 else tuple(int(v) for v in rng.integers(0, 256, 3))
    area = Box(x, y, w, h).grown(0.1)
    if any(area.intersection(other) > 0 for other in keep_off):
        return
    kind = rng.choice(["window", "frame", "grid", "cloth", "text", "tilted", "lattice", "cross", "corner"])
    thin = int(rng.integers(2, 6))
    if kind == "window":
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1)
    elif kind == "frame":
        thick = round(float(rng.uniform(10, 30)) * scale)
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, thick)
    elif kind in ("grid", "lattice"):
        cells = int(rng.integers(2, 6))
        over = 0 if kind == "grid" else 20
        for i in range(cells + 1):
            cx, cy = x + round(i * w / cells), y + round(i * h / cells)
            cv2.line(image, (cx, y - over), (cx, y + h + over), colour, thin)
            cv2.line(image, (x - over, cy), (x + w + over, cy), colour, thin)
    elif kind == "cloth":
        patch = image[y : y + h, x : x + w]
        patch[:] = np.clip(shade + rng.normal(0, 6, (*patch.shape[:2], 1)), 0, 255).astype(np.uint8)
    elif kind == "text":
        size = float(rng.uniform(0.6, 2.5)) * scale
        cv2.putText(image, "LIVE 123 #", (x, y + h), cv2.FONT_HERSHEY_SIMPLEX, size, colour, thin, cv2.LINE_AA)
    elif kind == "tilted":
        angle = float(rng.uniform(6, 84))
        corners = cv2.boxPoints(((x + w / 2, y + h / 2), (w * 0.7, h * 0.7), angle)).astype(np.int32)
        cv2.polylines(image, [corners], True, colour, thin, cv2.LINE_AA)
    elif kind == "cross":
        cv2.line(image, (x, y + h // 2), (x + w, y + h // 2), colour, thin)
        cv2.line(image, (x + w // 2, y), (x + w // 2, y + h), colour, thin)
    else:
        cv2.line(image, (x, y), (x + w, y), colour, thin)
        cv2.line(image, (x, y), (x, y + h), colour, thin)
