"""``ros2 run face_af_overlay calibrate FRAMES…``: colour ranges for a camera from boxes that the user names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import write_text
from face_af_common.params import ParamError, changed
from face_af_common.types import AfState, Box

from . import pictures, presets
from .colours import Colour, hue_of
from .detector import AfBoxDetector
from .outline import Examiner
from .params import OverlayNodeParams
from .rectangles import Candidates

STATES = {"detected": AfState.DETECTED, "tracked": AfState.TRACKED, "active_focus": AfState.ACTIVE_FOCUS}


@dataclass(frozen=True)
class Named:
    """One box that the user has named: the frame it is in, its state, and its place."""

    frame: int
    state: AfState
    box: Box


def parse_box(text: str, frames: int) -> Named:
    """``state,x,y,w,h`` or, with several frames, ``frame:state,x,y,w,h``; :class:`ValueError` says what is wrong."""
    number, _, rest = text.rpartition(":")
    frame = int(number) if number else 0
    parts = rest.split(",")
    if len(parts) != 5 or parts[0] not in STATES:
        raise ValueError(f"{text}: state,x,y,w,h is needed, with state one of {', '.join(STATES)}")
    if not 0 <= frame < frames:
        raise ValueError(f"{text}: there is no frame {frame}; the first is 0")
    return Named(frame, STATES[parts[0]], Box(*(float(v) for v in parts[1:])))


def drawn_colour(picture: NDArray[np.uint8], box: Box, params: OverlayNodeParams) -> Colour | None:
    """The colour that the box's lines were drawn in (Y, Cr, Cb), or None where no outline is found near ``box``."""
    rects, colours = [], []
    for inset in (1, 2, 0, 3):
        left, top = round(box.x) + inset, round(box.y) + inset
        right, bottom = round(box.right) - 1 - inset, round(box.bottom) - 1 - inset
        corners = [picture[y, x] for y in (top, bottom) for x in (left, right) if _inside(picture, x, y)]
        if len(corners) >= 3:
            rects.append((left, top, right, bottom))
            colours.append(np.median(np.array(corners, np.float32), axis=0))
    outlines, _ = Examiner().examine(
        np.ascontiguousarray(picture),
        Candidates(
            np.array(rects, np.int32).reshape(-1, 4),
            np.array(colours, np.float32).reshape(-1, 3),
            np.zeros(len(rects), np.int32),
        ),
        params,
        picture.shape[0] / 1080,
    )
    return outlines[0].colour if outlines else None


def propose(colours: Mapping[AfState, Sequence[Colour]], params: OverlayNodeParams) -> dict[str, float]:
    """Colour parameters (flat names) halfway between the states named, or with some slack around a single one."""
    changes: dict[str, float] = {}
    gray = [c[0] for c in colours.get(AfState.DETECTED, ())]
    white = [c[0] for c in colours.get(AfState.TRACKED, ())]
    if gray:
        changes["colour.gray_min"] = float(round(max(min(gray) - 30, 20.0)))
    if gray and white and max(gray) < min(white):
        changes["colour.white_min"] = float(round((max(gray) + min(white)) / 2))
    elif white and min(white) < params.colour.white_min:
        changes["colour.white_min"] = float(round(min(white) - 10))
    elif gray and max(gray) >= params.colour.white_min:
        changes["colour.white_min"] = float(round(min(max(gray) + 10, 255.0)))
    green = colours.get(AfState.ACTIVE_FOCUS, ())
    if green:
        hues = [hue_of(c) for c in green]
        changes["colour.green_hue_min"] = float(round(max(min(hues) - 12, 0)))
        changes["colour.green_hue_max"] = float(round(min(max(hues) + 12, 179)))
        least = min(float(np.hypot(c[1], c[2])) for c in green)
        changes["colour.green_chroma"] = float(round(max(least * 0.6, 12.0)))
    return changes


def recognised(frames: Sequence[NDArray[np.uint8]], named: Sequence[Named], params: OverlayNodeParams) -> int:
    """How many of the named boxes the detector finds with the right state."""
    detector = AfBoxDetector(params)
    found = [detector.detect(frame) for frame in frames]
    return sum(any(b.state == n.state and b.box.iou(n.box) >= 0.5 for b in found[n.frame]) for n in named)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="calibrate", description="Proposes colour ranges for a camera's AF boxes.")
    parser.add_argument("frames", nargs="+", metavar="FRAME")
    parser.add_argument(
        "--box", action="append", required=True, metavar="[N:]STATE,X,Y,W,H", help="a box in frame N (0 is the first)"
    )
    parser.add_argument("--preset", help="start from this preset")
    parser.add_argument("--output", help="write the new preset here")
    args = parser.parse_args(argv)
    try:
        params = presets.load(args.preset) if args.preset else OverlayNodeParams()
        frames = [pictures.read(name) for name in args.frames]
        named = [parse_box(text, len(frames)) for text in args.box]
        colours: dict[AfState, list[Colour]] = {}
        for one in named:
            colour = drawn_colour(frames[one.frame], one.box, params)
            if colour is None:
                print(f"no outline near {one.box} in {args.frames[one.frame]}; it is left out", file=sys.stderr)
                continue
            print(f"{one.state.name:<13} Y {colour[0]:.0f} Cr {colour[1]:+.0f} Cb {colour[2]:+.0f}")
            colours.setdefault(one.state, []).append(colour)
        if not colours:
            print("no outline was found at any of the boxes named", file=sys.stderr)
            return 1
        changes = propose(colours, params)
        after = changed(params, changes)
    except (pictures.FileError, ParamError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for name, value in changes.items():
        print(f"{name}: {value}")
    total = len(named)
    before, now = recognised(frames, named, params), recognised(frames, named, after)
    print(f"recognised before {before}/{total}, after {now}/{total}")
    if args.output:
        remarks = [f"Calibrated from {total} boxes in {len(frames)} frames."]
        write_text(args.output, presets.text(changes, remarks))
        print(f"written to {args.output}")
    return 0


def _inside(picture: NDArray[np.uint8], x: int, y: int) -> bool:
    return 0 <= y < picture.shape[0] and 0 <= x < picture.shape[1]
