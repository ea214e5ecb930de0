"""What the system sees and does, drawn on the image: for the debug view, the demo's video and replays.

Reads from a few metres away: the target's face has a thick green frame with name and similarity, other
faces thin gray ones, the camera's AF boxes cyan corners outside their edge, and one slim bar below says
what steering does and why.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from face_af_common.images import BGR
from face_af_common.types import AfBox, AfState, Box, Face, SteeringStatus

Color = tuple[int, int, int]

TARGET: Color = (70, 220, 60)
KNOWN: Color = (235, 235, 235)
UNKNOWN: Color = (150, 150, 150)
AF_CHOSEN: Color = (255, 225, 40)
AF_DETECTED: Color = (190, 165, 70)
INK: Color = (16, 16, 16)
PAPER: Color = (240, 240, 240)
QUIET: Color = (175, 175, 175)

STATE_COLORS: dict[SteeringStatus, Color] = {
    SteeringStatus.IDLE: (130, 130, 130),
    SteeringStatus.NO_TARGET: (150, 150, 150),
    SteeringStatus.CONFIRMING: (60, 200, 250),
    SteeringStatus.STEERING: (30, 150, 255),
    SteeringStatus.WAITING: (90, 190, 255),
    SteeringStatus.ON_TARGET: (90, 200, 70),
    SteeringStatus.YIELDING: (240, 170, 80),
    SteeringStatus.GAVE_UP: (70, 70, 235),
}

_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_PIXELS = 22.0
"""Height of a capital of that font at scale 1."""
_BAR = 36
"""Rows of the bar, for an image of 720."""
_BAR_PAPER: Color = (24, 24, 24)


@dataclass(frozen=True)
class Caption:
    """What the bar below the image says; what is None or empty is left out."""

    state: SteeringStatus | None = None
    reason: str = ""
    target: str = ""
    speaking: str = ""
    """Who is heard."""
    presses: int | None = None
    fps: float | None = None
    latency_ms: float | None = None
    note: str = ""
    """Replaces the state word where there is no steering ("no camera", "recorded")."""


def draw_frame(image: BGR, faces: Sequence[Face], boxes: Sequence[AfBox], scale: float = 1.0) -> None:
    """Draws on ``image`` (H x W x 3 uint8) in place; line widths and text follow its height.

    ``scale``: size of the image relative to the frame in whose pixels faces and boxes are given.
    """
    unit = max(image.shape[0] / 720.0, 0.4)
    plates: list[tuple[int, int, int, int]] = []
    for box in sorted(boxes, key=lambda b: b.state):
        if box.state != AfState.NONE:
            _draw_af_box(image, box.box.scaled(scale), box, unit, plates)
    for face in sorted(faces, key=lambda f: (f.is_target, bool(f.identity))):
        _draw_face(image, face.box.scaled(scale), face, unit, plates)


def annotated(
    image: BGR,
    faces: Sequence[Face],
    boxes: Sequence[AfBox],
    caption: Caption | None = None,
    height: int | None = None,
) -> BGR:
    """A drawn copy of ``image``; the original stays as it is.

    ``caption`` is a bar with rows of its own below the image: the camera's display has its figures at the lower edge.
    ``height``: rows of image and bar together; the image is scaled down for it, and never up.
    """
    rows, columns = image.shape[:2]
    limit = height if height is not None and height > 0 else None
    bar = 0 if caption is None else _even(_BAR * max(min(rows, limit or rows) / 720.0, 0.4))
    scale = 1.0
    size = (columns, rows)
    if limit is not None and limit < rows + bar:
        scale = max(2, limit - bar) / rows
        # even sizes: video encoders with 4:2:0 chroma need them
        size = (_even(columns * scale), max(2, (limit - bar) // 2 * 2))
    drawn: BGR = np.empty((size[1] + bar, size[0], 3), np.uint8)
    top = drawn[: size[1]]
    if scale == 1.0:
        top[:] = image
    else:
        # averaging costs four times as much, and shows only where many pixels become one
        cv2.resize(image, size, dst=top, interpolation=cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR)
    draw_frame(top, faces, boxes, scale)
    if caption is not None:
        _draw_bar(drawn[size[1] :], caption)
    return drawn


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


def plain(text: str) -> str:
    """``text`` in the letters that OpenCV's fonts have: accents are dropped, the rest becomes ``?``."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = (c for c in decomposed if not unicodedata.combining(c))
    return "".join(c if 32 <= ord(c) < 127 else " " if c.isspace() else "?" for c in letters)


def _draw_face(picture: BGR, box: Box, face: Face, unit: float, plates: list[tuple[int, int, int, int]]) -> None:
    color = TARGET if face.is_target else KNOWN if face.identity else UNKNOWN
    thickness = max(1, round((4 if face.is_target else 1.5) * unit))
    corners = _corners(box)
    if corners is None:
        return
    if face.is_target:
        cv2.rectangle(picture, corners[0], corners[1], INK, thickness + max(2, round(2 * unit)), cv2.LINE_AA)
    cv2.rectangle(picture, corners[0], corners[1], color, thickness, cv2.LINE_AA)
    if face.identity:
        text = f"{plain(face.identity)} {face.similarity:.2f}"
        size = (21 if face.is_target else 16) * unit
        _plate(picture, text, corners, size, INK, color, plates, gap=thickness)


def _draw_af_box(picture: BGR, box: Box, af: AfBox, unit: float, plates: list[tuple[int, int, int, int]]) -> None:
    gap = 5 * unit
    corners = _corners(Box(box.x - gap, box.y - gap, box.width + 2 * gap, box.height + 2 * gap))
    if corners is None:
        return
    (x0, y0), (x1, y1) = corners
    color = AF_CHOSEN if af.chosen else AF_DETECTED
    thickness = max(1, round((4 if af.chosen else 2) * unit))
    tick = max(4, round(min(x1 - x0, y1 - y0) * 0.22))
    for width, ink in ((thickness + max(2, round(2 * unit)), INK), (thickness, color)):
        for x, dx in ((x0, tick), (x1, -tick)):
            for y, dy in ((y0, tick), (y1, -tick)):
                points = np.array([(x + dx, y), (x, y), (x, y + dy)], np.int32)
                cv2.polylines(picture, [points], False, ink, width, cv2.LINE_AA)
    if af.chosen:
        text = "AF in focus" if af.state == AfState.ACTIVE_FOCUS else "AF"
        _plate(picture, text, corners, 14 * unit, INK, color, plates, gap=thickness, below=True)


def _draw_bar(bar: BGR, caption: Caption) -> None:
    """Fills ``bar`` (H x W x 3) with state, reason and figures."""
    height, columns = bar.shape[:2]
    unit = height / _BAR
    bar[:] = _BAR_PAPER
    size, pad = 17 * unit, round(12 * unit)
    baseline = height - round((height - size * 0.72) / 2)
    left = pad
    word = caption.note or ("" if caption.state is None else caption.state.name.replace("_", " "))
    if word:
        color = STATE_COLORS[caption.state] if caption.state is not None and not caption.note else UNKNOWN
        width = _text_width(plain(word), size)
        cv2.rectangle(bar, (0, 0), (left + width + pad, height), color, cv2.FILLED)
        _text(bar, plain(word), left, baseline, size, INK)
        left += width + 2 * pad
    figures = [
        "" if caption.presses is None else f"{caption.presses} press{'' if caption.presses == 1 else 'es'}",
        "" if caption.fps is None else f"{caption.fps:.1f} fps",
        "" if caption.latency_ms is None else f"{caption.latency_ms:.0f} ms",
    ]
    right_text = "   ".join(text for text in figures if text)
    right = columns - pad - _text_width(right_text, size)
    if right_text:
        _text(bar, right_text, right, baseline, size, PAPER)
    heard = f"heard: {caption.speaking}" if caption.speaking else ""
    sentence = plain(" - ".join(text for text in (caption.target, heard, caption.reason) if text))
    _text(bar, _fitting(sentence, right - pad - left, size), left, baseline, size, QUIET)


def _plate(
    picture: BGR,
    text: str,
    corners: tuple[tuple[int, int], tuple[int, int]],
    size: float,
    ink: Color,
    paper: Color,
    taken: list[tuple[int, int, int, int]],
    gap: int,
    below: bool = False,
) -> None:
    """A filled label above (or below) a box, moved where it would leave the image or cover another label."""
    (x0, y0), (_, y1) = corners
    rows, columns = picture.shape[:2]
    pad = max(2, round(size * 0.3))
    width, height = _text_width(text, size) + 2 * pad, round(size * 0.75) + 2 * pad
    left = min(max(x0 - gap // 2, 0), max(columns - width, 0))
    above, under = y0 - gap - height, y1 + gap
    order = (under, above) if below else (above, under)
    places = [y for y in order if 0 <= y <= rows - height] or [min(max(order[0], 0), max(rows - height, 0))]
    top = next((y for y in places if not _covers((left, y, width, height), taken)), None)
    if top is None:
        top = places[0]
        step = height if below else -height
        while _covers((left, top, width, height), taken) and 0 <= top + step <= rows - height:
            top += step
    taken.append((left, top, width, height))
    cv2.rectangle(picture, (left, top), (left + width, top + height), paper, cv2.FILLED)
    _text(picture, text, left + pad, top + height - pad, size, ink)


def _covers(place: tuple[int, int, int, int], taken: list[tuple[int, int, int, int]]) -> bool:
    x, y, w, h = place
    return any(x < tx + tw and tx < x + w and y < ty + th and ty < y + h for tx, ty, tw, th in taken)


def _corners(box: Box) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Integer corners, or None for a box that cannot be drawn (not finite, absurdly far away)."""
    values = (box.x, box.y, box.right, box.bottom)
    if not all(abs(v) < 30_000 for v in values):  # False for NaN too; cv2 draws with 16 bits and shifts
        return None
    x0, y0, x1, y1 = (round(v) for v in values)
    return (x0, y0), (x1, y1)


def _text(picture: BGR, text: str, x: int, baseline: int, size: float, color: Color) -> None:
    if text:
        thickness = max(1, round(size / 18))
        cv2.putText(picture, text, (x, baseline), _FONT, size * 0.75 / _FONT_PIXELS, color, thickness, cv2.LINE_AA)


def _text_width(text: str, size: float) -> int:
    return int(cv2.getTextSize(text, _FONT, size * 0.75 / _FONT_PIXELS, max(1, round(size / 18)))[0][0]) if text else 0


def _fitting(text: str, width: int, size: float) -> str:
    """``text``, or as much of it as fits into ``width`` pixels followed by dots."""
    if _text_width(text, size) <= width:
        return text
    while text and _text_width(text + "...", size) > width:
        text = text[: -max(1, len(text) // 20)]
    return text.rstrip() + "..." if text else ""
