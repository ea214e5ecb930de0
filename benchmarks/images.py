"""``./run bench images``: what a frame of 1080p costs to turn upright and to convert from another encoding."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_af_capture.node import upright
from face_af_common.encodings import LAYOUTS, decode
from face_af_common.files import write_json
from face_af_common.orientation import FLIPS, ROTATIONS, Orientation

WIDTH, HEIGHT = 1920, 1080
MOST_MS = {"as it is": 0.05, "mirrored or by 180": 2.0, "by 90 or 270": 8.0}
"""What a turn may cost (median), so that it stays small beside the 33 ms of a frame."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench images", description=__doc__)
    parser.add_argument("--frames", type=int, default=100, help="frames for each row (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 and one line for each figure that is missed")
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    frame = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    copy = np.empty_like(frame)
    report: dict[str, Any] = {"turn_ms": {}, "convert_ms": {}}
    print(f"{'1920x1080, one thread':<28}{'p50':>8}{'p95':>8}  ms")
    report["copy_ms"] = _row("a plain copy", options.frames, lambda: np.copyto(copy, frame))
    missed = []
    for rotate, flip in itertools.product(ROTATIONS, FLIPS):
        orientation = Orientation(rotate, flip)
        name = f"rotate {rotate}, flip {flip}"
        row = _row(name, options.frames, lambda: upright(frame, orientation))  # noqa: B023
        report["turn_ms"][name] = row
        kind = "by 90 or 270" if rotate % 180 else "mirrored or by 180"
        limit = MOST_MS["as it is" if orientation.is_identity else kind]
        if row["p50"] > limit:
            missed.append(f"{name}: {row['p50']:.2f} ms, at most {limit} were wanted")
    for encoding, layout in LAYOUTS.items():
        step = WIDTH * layout.channels * layout.depth // 8
        data = np.resize(frame.reshape(-1), int(step * HEIGHT * layout.rows))
        convert = lambda: decode(encoding, data, WIDTH, HEIGHT, step, False)  # noqa: B023, E731
        report["convert_ms"][encoding] = _row(encoding, max(options.frames // 5, 5), convert)
    if options.report:
        write_json(options.report, report)
    for line in missed:
        print(f"missed: {line}")
    return 1 if options.check and missed else 0


def _row(name: str, frames: int, call: Callable[[], object]) -> dict[str, float]:
    """Prints and returns milliseconds."""
    call()
    taken = []
    for _ in range(frames):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1e3)
    row = {"p50": float(np.median(taken)), "p95": float(np.percentile(taken, 95))}
    print(f"{name:<28}{row['p50']:8.2f}{row['p95']:8.2f}")
    return row


if __name__ == "__main__":
    sys.exit(main())
