"""Fits what each measured feature of a rectangle is worth for or against an AF box, and writes ``curves.py``.

Boxes are those drawn by the generator, as the detector proposes them and a pixel or two off; what is proposed and
is no box speaks against. Only photographs of the half for tuning are used, and painted backgrounds. An additive
logistic model: each feature's curve has a few straight pieces, so that the debug picture can say which one rejects.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pprint
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from face_af_common.types import Box
from face_af_overlay import curves as curves_module
from face_af_overlay import measure
from face_af_overlay.detector import AfBoxDetector
from face_af_overlay.params import OverlayParams
from face_af_sim.overlay_pictures import LabelledPicture, OverlayPictures, Recipe, photographs

# a text: NumPy 1.21 has it for type checkers only
F32: TypeAlias = "NDArray[np.floating[Any]]"
CURVES = Path(measure.__file__).resolve().with_name("curves.py")


@dataclass
class Examples:
    """Features of boxes, and of rectangles that are none; and weights of the former."""

    boxes: list[F32] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    others: list[F32] = field(default_factory=list)


def collect(
    detector: AfBoxDetector, picture: LabelledPicture, rng: np.random.Generator, examples: Mapping[bool, Examples]
) -> None:
    """Adds what is proposed in one picture to the examples with sharp corners (False) and with rounded ones (True)."""
    work, shrink, sharp = detector.propose(picture.image)
    candidates = sharp.joined(detector.propose_rounded(work))
    scale = work.shape[0] / 1080
    inset = (picture.style.line / shrink - 1) / 2
    round_style = picture.style.radius > 0
    drawn = [
        np.array([b.x + inset, b.y + inset, b.right - 1 - inset, b.bottom - 1 - inset])
        for b in (box.box.scaled(1 / shrink) for box in picture.boxes)
    ]

    def near(rect: NDArray[Any]) -> bool:
        return any(_box(rect).iou(_box(truth)) > 0.4 for truth in drawn)

    def other(rect: NDArray[Any], feature: F32, shape: F32) -> None:
        if shape[measure.LINES] >= 3 and not near(rect) and not _excluded(work, shape, scale):
            examples[bool(shape[measure.RADIUS] > 0)].others.append(feature)

    def box(feature: F32, shape: F32, weight: float) -> None:
        form = bool(shape[measure.RADIUS] > 0)
        if shape[measure.LINES] >= 3 and (form or not round_style):
            examples[form].boxes.append(feature)
            examples[form].weights.append(weight)

    features, shapes = measure.measure(work, candidates.rects, candidates.colours, candidates.offsets, scale)
    for rect, feature, shape in zip(candidates.rects, features, shapes, strict=True):
        off = [float(np.abs(rect - truth).max()) for truth in drawn]
        if off and min(off) < _PLACED:
            box(feature, shape, 1.0)
        else:
            other(rect, feature, shape)
    mixed = _mixed(candidates.rects, drawn, rng)
    if len(mixed) and len(candidates):
        chosen = rng.integers(len(candidates), size=len(mixed))
        features, shapes = measure.measure(work, mixed, candidates.colours[chosen], candidates.offsets[chosen], scale)
        for rect, feature, shape in zip(mixed, features, shapes, strict=True):
            other(rect, feature, shape)
    if drawn:
        rects = np.rint(np.concatenate([drawn, drawn]) + rng.uniform(-2, 2, (2 * len(drawn), 4))).astype(np.int32)
        colours = np.array([picture.style.colours[box.state] for box in picture.boxes] * 2, np.float32)
        radii = np.array([picture.style.radius * box.box.width / shrink for box in picture.boxes] * 2)
        offsets = np.maximum(radii - 2 * np.sqrt(radii), 0).astype(np.int32)
        features, shapes = measure.measure(work, rects, colours, offsets, scale)
        for feature, shape in zip(features, shapes, strict=True):
            box(feature, shape, 0.5)


def _mixed(rects: NDArray[np.int32], drawn: list[F32], rng: np.random.Generator) -> NDArray[np.int32]:
    """Rectangles of sides of two proposed or drawn ones: what a proposer less strict than today's would bring."""
    known = np.concatenate([rects, np.rint(np.array(drawn)).astype(np.int32).reshape(-1, 4)])
    if len(known) < 2:
        return np.zeros((0, 4), np.int32)
    one, other = (known[rng.integers(len(known), size=_MIXED)] for _ in range(2))
    mixed = np.where(rng.random((_MIXED, 4)) < 0.5, one, other)
    width, height = mixed[:, 2] - mixed[:, 0], mixed[:, 3] - mixed[:, 1]
    fits = (np.minimum(width, height) >= 14) & (np.maximum(width, height) <= 350)
    fits &= np.maximum(width, height) <= 1.8 * np.minimum(width, height)
    return np.unique(mixed[fits], axis=0)


def _box(rect: NDArray[Any]) -> Box:
    left, top, right, bottom = (float(v) for v in rect)
    return Box(left, top, right - left + 1, bottom - top + 1)


def _excluded(work: NDArray[np.uint8], shape: F32, scale: float) -> bool:
    """Whether the detector rejects it for its proportions or as a grid, whatever it is worth."""
    limits = OverlayParams().shape
    width, height = shape[measure.RIGHT] - shape[measure.LEFT], shape[measure.BOTTOM] - shape[measure.TOP]
    shorter, longer = sorted((float(width + shape[measure.LINE]), float(height + shape[measure.LINE])))
    if longer > limits.max_aspect * shorter or shorter < limits.min_size * scale - 1:
        return True
    return bool(shape[measure.LINE] > limits.max_line * scale + 0.7 or measure.divided(work, shape))


def bends(boxes: F32, others: F32, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Where the curves bend: quantiles of as many boxes as others."""
    some = others[rng.choice(len(others), min(len(others), len(boxes)), replace=False)]
    both = np.concatenate([boxes, some])
    return [np.unique(np.round(np.quantile(both[:, i], _QUANTILES), 3)) for i in range(both.shape[1])]


def fit(
    boxes: F32, weights: F32, others: F32, at: list[NDArray[np.float64]], smooth: float
) -> list[NDArray[np.float64]]:
    """Each curve's height at its bends; the constant is part of the first one."""
    features = np.concatenate([boxes, others]).astype(np.float64)
    columns, starts = [np.ones(len(features))], [1]
    bounds: list[tuple[float | None, float | None]] = [(None, None)]
    for i, (name, x) in enumerate(zip(measure.FEATURES, at, strict=True)):
        # each piece of a curve by its rise, so that curves which must rise or fall do
        columns += [np.clip((features[:, i] - a) / (b - a), 0.0, 1.0) for a, b in itertools.pairwise(x)]
        bounds += [_WAYS.get(name, (None, None))] * (len(x) - 1)
        starts.append(len(columns))
    basis = np.stack(columns, axis=1)
    wanted = np.r_[np.ones(len(boxes)), np.zeros(len(others))]
    weight = np.r_[weights, np.full(len(others), _OTHERS)]
    penalty = np.full(basis.shape[1], smooth)
    penalty[0] = 0.0

    def cost(rises: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = basis @ rises
        likely = 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
        loss = np.sum(weight * (np.logaddexp(0, odds) - wanted * odds)) + np.sum(penalty * rises**2)
        return float(loss), basis.T @ (weight * (likely - wanted)) + 2 * penalty * rises

    start = np.zeros(basis.shape[1])
    solved = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000})
    heights = [np.r_[0.0, np.cumsum(solved.x[first:last])] for first, last in itertools.pairwise(starts)]
    heights[0] = heights[0] + solved.x[0]
    return heights


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench overlay_fit", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", default=os.environ.get("FACE_AF_TEST_FACES", ""), help="folder of photographs")
    parser.add_argument("--frames", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=9000)
    parser.add_argument("--smooth", type=float, default=0.3, help="penalty on bends")
    parser.add_argument("--only", choices=("sharp", "rounded"), help="leave the curves of the others as they are")
    parser.add_argument("--write", action="store_true", help=f"write {CURVES.name}")
    args = parser.parse_args(argv)
    photos = photographs(args.photos, judge=False) if args.photos else []
    small, tall = {"width": 1280, "height": 720}, {"width": 3840, "height": 2160}
    none = {"boxes": (0, 0), "distractors": (1, 6)}
    kinds: list[tuple[dict[str, Any], bool, float]] = [
        ({}, True, 1.0), ({"hard": True}, True, 1.0), (none, True, 1.0), (small, True, 0.6), (tall, True, 0.2),
        ({**small, **none}, True, 0.4), ({}, False, 0.5), (none, False, 0.5),
    ]  # fmt: skip
    kinds += [({"kind": kind}, True, 0.5) for kind in _ROUNDED]
    kinds += [({"kind": "rounded", "hard": True}, True, 0.5), ({"kind": "rounded", **small}, True, 0.5)]
    detector = AfBoxDetector()
    rng = np.random.default_rng(args.seed)
    examples = {False: Examples(), True: Examples()}
    for number, (recipe, photographed, share) in enumerate(kinds):
        pictures = OverlayPictures(photos if photographed else [], Recipe(**recipe), args.seed + number)
        for index in range(round(args.frames * share)):
            collect(detector, pictures.picture(index), rng, examples)
        counts = ", ".join(f"{len(e.boxes)} boxes, {len(e.others)} others" for e in examples.values())
        print(f"{number + 1}/{len(kinds)}: {counts}", flush=True)
    text = '"""What each feature says for a box, by value; written by ``./run bench overlay_fit --write``."""\n'
    for form, prefix in ((False, ""), (True, "ROUNDED_")):
        if args.only and (args.only == "rounded") != form:
            curves, usual = getattr(curves_module, f"{prefix}CURVES"), getattr(curves_module, f"{prefix}USUAL")
        else:
            curves, usual = fitted(examples[form], rng, args.smooth)
        shown = pprint.pformat(curves, width=100, compact=True, sort_dicts=False)
        text += f"\n{prefix}CURVES: dict[str, list[tuple[float, float]]] = {shown}\n"
        text += '"""Points (value, log odds) of straight pieces; a curve is level beyond its ends."""\n'
        text += f"\n{prefix}USUAL: dict[str, float] = {pprint.pformat(usual, sort_dicts=False)}\n"
        text += '"""What it usually is for a box."""\n'
    if args.write:
        CURVES.write_text(text, encoding="utf-8")
    return 0


def fitted(
    examples: Examples, rng: np.random.Generator, smooth: float
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, float]]:
    """The curves of all features, and what each usually is for a box; prints how well they tell."""
    boxes, others, weights = np.array(examples.boxes), np.array(examples.others), np.array(examples.weights)
    at = bends(boxes, others, rng)
    heights = fit(boxes, weights, others, at, smooth)
    own = [np.interp(boxes[:, i], x, y) for i, (x, y) in enumerate(zip(at, heights, strict=True))]
    against = sum(np.interp(others[:, i], x, y) for i, (x, y) in enumerate(zip(at, heights, strict=True)))
    for odds in (0.0, 1.0, 2.0, 3.0):
        print(f"odds above {odds}: {np.mean(sum(own) > odds):.4f} of boxes, {np.sum(against > odds)} others")
    curves = {
        name: [(round(float(a), 3), round(float(b), 3)) for a, b in zip(x, y, strict=True)]
        for name, x, y in zip(measure.FEATURES, at, heights, strict=True)
    }
    usual = {name: round(float(np.median(w)), 3) for name, w in zip(measure.FEATURES, own, strict=True)}
    return curves, usual


_ROUNDED = (
    "rounded",
    "rounded, closed, 1/16",
    "rounded, closed, 1/4",
    "rounded brackets",
    "second outline, rounded",
)
"""Kinds of boxes with rounded corners, of :data:`face_af_sim.overlay_kinds.KINDS`."""
_PLACED = 2.6
"""Pixels by which a proposal may be off a box."""
_MIXED = 200
"""Rectangles of sides of two others that are tried in each picture."""
_OTHERS = 0.3
"""Weight of what is no box; there is much more of it."""
_RISES, _FALLS = (0.0, None), (None, 0.0)
_WAYS = {
    **dict.fromkeys(("agreement", "worst_corner", "second_corner", "strength", "visible"), _RISES),
    **dict.fromkeys(("corner_line", "worst_corner_line"), _RISES),
    **dict.fromkeys(("run_on", "run_on_most", "uneven", "arms_differ"), _FALLS),
    "contrast": _RISES,
}
"""Which way a curve must go; the others are free."""
_QUANTILES = (0.03, 0.15, 0.35, 0.5, 0.65, 0.85, 0.97)

if __name__ == "__main__":
    sys.exit(main())
