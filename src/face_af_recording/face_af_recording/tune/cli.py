"""``tune``: replays a recording over a grid of parameters and writes the best ones as a parameter file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import told, write_text
from face_af_common.params import ParamError

from ..bag.bag_folder import RecordingError
from ..replay import settings
from ..replay.options import add_source_options, parameters
from ..replay.score import read_truth
from ..replay.settings import STAGES
from ..replay.source import open_source
from ..replay.stages import check_parameters
from .grid import Axis, combinations, flat, parse_axis
from .objective import QUALITY, objective
from .trials import Job, base_frames, run

_SHOWN = ("on_target", "on_target_truth", "target_seen", "recognised", "wrong_identity", "presses_per_minute",
          "identity_changes", "flicker")  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        _tune(options)
    except (RecordingError, ParamError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"tune: {told(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on where it was", file=sys.stderr)
        raise
    return 0


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, got {text!r}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tune", description="Tries parameters on a recording and ranks them.")
    add_source_options(parser)
    parser.add_argument(
        "--param",
        action="append",
        required=True,
        metavar="NAME=FROM:TO:STEP",
        help="a parameter (node.name, or the name where one node has it) and its values, also as A,B,C; repeatable",
    )
    parser.add_argument(
        "--samples", type=_count, default=0, metavar="N", help="try N random points of the grid, not all"
    )
    parser.add_argument("--seed", type=int, default=1, help="of --samples")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="processes at once")
    parser.add_argument("--by", default=QUALITY, help="figure to rank by; a leading - where less is better (quality)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for trials, plot and YAML (out/tune/BAG)")
    return parser


def _tune(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    axes = [parse_axis(text) for text in options.param]
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        raise ParamError("a parameter is given twice")
    if foreign := {axis.node for axis in axes} - set(STAGES):
        raise ParamError(f"a replay does not run {', '.join(sorted(foreign))}; there are {', '.join(STAGES)}")
    tried = _valid(combinations(axes, options.samples, options.seed))
    source = open_source(options.bag, options.topic)
    base = parameters(source, options)
    tuned = {axis.node for axis in axes}
    # what is derived from a tuned node is computed anew as well
    stages = tuple(stage for stage in STAGES if stage in tuned or stage == "steering")
    truth = read_truth(options.truth) if options.truth else None
    job = Job(options.bag, options.topic, stages, base, base_frames(source, stages, base), truth)
    folder = options.out or Path("out/tune") / options.bag.stem
    results: list[tuple[dict[str, Any], dict[str, Any], float]] = []
    bar = tqdm(total=len(tried), unit="trial", desc="tune", disable=not sys.stderr.isatty())
    for combination, figures in run(job, tried, folder / "trials.jsonl", options.jobs):
        results.append((dict(combination), figures, objective(figures, options.by)))
        bar.update()
    bar.close()
    order = {_identity(combination): number for number, combination in enumerate(tried)}
    results.sort(key=lambda result: (-result[2], order[_identity(result[0])]))
    _report(options, axes, results, folder)


def _valid(tried: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[Mapping[str, Mapping[str, Any]]]:
    """Combinations that the nodes accept: some pairs of values contradict each other."""
    kept, refused = [], ""
    for combination in tried:
        try:
            check_parameters(combination)
            kept.append(combination)
        except ParamError as error:
            refused = str(error)
    if not kept:
        raise ParamError(f"no combination is valid: {refused}")
    if len(kept) < len(tried):
        print(f"{len(tried) - len(kept)} of {len(tried)} combinations are left out ({refused})", file=sys.stderr)
    return kept


def _report(options: argparse.Namespace, axes: Sequence[Axis], results: Sequence[Any], folder: Path) -> None:
    from .plots import plot

    shown = [name for name in _SHOWN if results[0][1].get(name) is not None]
    print(" ".join([f"{options.by:>10}", *(f"{axis.name:>24}" for axis in axes), *(f"{name:>18}" for name in shown)]))
    for combination, figures, value in results[:20]:
        values = flat(combination)
        print(" ".join([f"{value:>10.4f}", *(f"{values[axis.name]!s:>24}" for axis in axes),
                        *(f"{_cell(figures[name]):>18}" for name in shown)]))  # fmt: skip
    if len(results) > 20:
        print(f"... {len(results) - 20} more in {folder / 'trials.jsonl'}")
    best, figures, value = results[0]
    comment = f"best of {len(results)} on {options.bag.name}: {options.by} {value:.4f}"
    write_text(folder / "best.yaml", settings.to_yaml(best, comment))
    plot(
        folder / "tune.png",
        axes,
        [flat(result[0]) for result in results],
        [result[2] for result in results],
        options.by,
    )
    print(f"{folder / 'best.yaml'}: give it as params_file:=…   {folder / 'tune.png'}: the plot")


def _identity(combination: Mapping[str, Mapping[str, Any]]) -> str:
    return repr(sorted(flat(combination).items()))


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
