"""``replay``: a recording through perception, overlay and steering again, as fast as the machine goes.

The same frames through the running graph: ``ros2 launch face_af replay.launch.py bag:=…``.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from face_af_common.files import told
from face_af_common.params import ParamError

from ..bag.bag_folder import RecordingError
from . import settings
from .options import add_source_options, parameters
from .recorded import recorded_frames
from .report import make_report, table, write_report, write_results
from .score import label, read_truth
from .settings import STAGES, USUAL
from .source import open_source
from .stages import compute


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        _replay(options)
    except (RecordingError, ParamError) as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"replay: {told(error)}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="replay",
        description="Replays a bag or a video offline: no frame is dropped, and the same input gives the same bytes.",
    )
    add_source_options(parser)
    parser.add_argument(
        "--recompute",
        default=",".join(USUAL),
        help=f"what to compute anew, separated by commas: {', '.join(STAGES)}, or none; the rest is as recorded",
    )
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--results", type=Path, help="write every frame's results, one line of JSON each")
    return parser


def _replay(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    source = open_source(options.bag, options.topic)
    stages = settings.stages_of(options.recompute)
    chosen = parameters(source, options)
    truth = read_truth(options.truth) if options.truth else None
    # compute() fills the frames that it is given; the recorded ones are kept for comparison
    recorded = copy.deepcopy(list(recorded_frames(source).values()))
    bar = tqdm(
        compute(source, stages, chosen),
        total=source.frame_count,
        unit="frame",
        disable=not sys.stderr.isatty(),
        desc="replay",
    )
    started = time.monotonic()
    frames = list(bar)
    spent = time.monotonic() - started
    if truth is not None:
        label(frames, truth, chosen.get("perception", {}).get("target", ""))
    report = make_report(frames, options.bag, stages, chosen, sorted(recorded, key=lambda f: f.stamp_ns))
    print(table(report))
    seconds = report["score"]["seconds"]
    print(
        f"{len(frames)} frames in {spent:.1f} s ({len(frames) / max(spent, 1e-9):.1f} a second, "
        f"{seconds / max(spent, 1e-9):.2f} times real time)"
    )
    if options.results:
        write_results(options.results, frames)
    if options.report:
        write_report(options.report, report)
