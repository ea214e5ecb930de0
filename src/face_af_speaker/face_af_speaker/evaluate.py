"""``ros2 run face_af_speaker evaluate``: how well people are known by their voices on given recordings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import write_json

from .enrolment import MOST_S, embed_recording, people_in, recordings
from .evaluation import Recordings, Trial, equal_error, most_alike, open_set, verification, windows_in
from .features import Sound
from .identification import MARGIN, threshold_for
from .networks import ActivityNetwork, Floats, VoiceEmbedder
from .options import add_options, complain, networks, told
from .sound_files import Piece, SoundError, read

EPILOG = """examples:
  evaluate people                                     a folder with one folder of recordings a person
  evaluate people --strangers others --heard 3 5      people who are never enrolled, one a folder or one a file
  evaluate people --json figures.json --plots figures"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="evaluate", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("people", type=Path, help="a folder with one folder of recordings a person")
    parser.add_argument(
        "--strangers", type=Path, metavar="DIR", help="recordings of others, one person a folder or file"
    )
    parser.add_argument("--enrol", type=float, default=10.0, metavar="S", help="seconds of speech enrolled (10)")
    parser.add_argument("--heard", type=float, nargs="+", default=[1.5, 3.0, 5.0], metavar="S", help="seconds heard")
    parser.add_argument("--far", type=float, default=0.01, help="share of strangers named to aim at, 0 to 1 (0.01)")
    parser.add_argument("--repeats", type=int, default=10, help="random choices of what is enrolled (10)")
    parser.add_argument("--classic", action="store_true", help="the classic features and network beside it (slow)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all figures")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="writes voices.png")
    add_options(parser)
    options = parser.parse_args(argv)
    if not 0 <= options.far < 1 or options.repeats < 1 or min(options.heard) <= 0 or options.enrol <= 0:
        parser.error("--far must be 0 to 1, --repeats at least 1, seconds more than 0")
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    opened = networks(options)
    people = {name: paths for name, paths in _people(options.people).items() if len(paths) > 1}
    if not people:
        raise SoundError(f"{options.people}: a folder with one folder of two recordings or more a person is needed")
    others = _people(options.strangers) if options.strangers else {}
    known, strangers = embed_people(opened, people), embed_people(opened, others)
    report, trials = evaluate(known, strangers, options, opened[1])
    if options.classic:
        report["classic"] = classic_way(people, others, options)
    print(table(report))
    if options.json:
        write_json(options.json, report)
    if options.plots:
        plot(options.plots, trials, opened[1].threshold)
    return 0


def _people(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise SoundError(f"{folder}: there is no such folder")
    found = people_in(folder)
    return found or {path.stem: [path] for path in recordings(folder)}


def embed_people(opened: tuple[ActivityNetwork, VoiceEmbedder], people: dict[str, list[Path]]) -> Recordings:
    """The windows of every recording; what cannot be used is told in one line each."""
    from tqdm import tqdm

    found: dict[str, list[Floats]] = {}
    with tqdm(total=sum(map(len, people.values())), unit="file", desc="listening", disable=None, leave=False) as bar:
        for name, paths in people.items():
            for path in paths:
                bar.update()
                try:
                    found.setdefault(name, []).append(embed_recording(*opened, Piece(path))[0])
                except SoundError as error:
                    complain(error)
    return found


def evaluate(
    known: Recordings, strangers: Recordings, options: argparse.Namespace, embedder: VoiceEmbedder
) -> tuple[dict[str, Any], dict[float, Trial]]:
    """All figures in percent, and the trials by seconds heard."""
    report: dict[str, Any] = {
        "embedder": embedder.model_id,
        "people": len(known),
        "strangers": len(strangers),
        "enrolled_s": options.enrol,
        "far": options.far,
        "most_alike": most_alike(known),
        "heard": {},
    }
    trials = {}
    for seconds in options.heard:
        trial = open_set(
            known, strangers,
            enrolled_s=options.enrol, heard_s=seconds, margin=MARGIN, repeats=options.repeats,
        )  # fmt: skip
        if not len(trial.known):
            complain(f"{seconds:g} s heard: no recording has so much speech")
            continue
        trials[seconds] = trial
        shipped = threshold_for(embedder.threshold, windows_in(seconds))
        report["heard"][f"{seconds:g}"] = {
            "equal_error": equal_error(*verification({**known, **strangers}, seconds)),
            "probes": len(trial.known),
            "strangers_heard": len(trial.strangers),
            "at_far": trial.at_strangers(options.far),
            "as_shipped": {"threshold": shipped, **trial.rates(shipped)},
        }
    return report, trials


def classic_way(
    people: dict[str, list[Path]], others: dict[str, list[Path]], options: argparse.Namespace
) -> dict[str, Any]:
    """The same figures of :mod:`.classic`, by seconds heard."""
    from . import classic

    known, strangers = _sounds(people), _sounds(others)
    found = {}
    for seconds in options.heard:
        trial = classic.open_set(known, strangers, enrolled_s=options.enrol, heard_s=seconds)
        if len(trial.known):
            shipped = {"threshold": classic.THRESHOLD, **trial.rates(classic.THRESHOLD)}
            found[f"{seconds:g}"] = {"at_far": trial.at_strangers(options.far), "as_shipped": shipped}
    return found


def _sounds(people: dict[str, list[Path]]) -> dict[str, list[Sound]]:
    found: dict[str, list[Sound]] = {}
    for name, paths in people.items():
        for path in paths:
            try:
                found.setdefault(name, []).append(read(Piece(path), most_s=MOST_S))
            except SoundError:
                continue  # has been told
    return found


def table(report: dict[str, Any]) -> str:
    far = 100 * report["far"]
    lines = [
        f"{report['people']} people with {report['enrolled_s']:g} s enrolled, {report['strangers']} strangers, percent",
        f"heard   equal error   named at {far:g} % strangers (threshold)   as shipped: named, misnamed, strangers",
    ]
    for way in ("heard", "classic"):
        if way == "classic" and report.get(way):
            lines.append("the classic way: 193 features, a dense network, a name from 0.95 on")
        for seconds, row in report.get(way, {}).items():
            at, shipped = row["at_far"], row["as_shipped"]
            equal = f"{row['equal_error']:12.2f}" if "equal_error" in row else f"{'-':>12}"
            lines.append(
                f"{seconds:>4} s {equal} {at['named']:18.1f}  ({at['threshold']:.3f}) "
                f"{shipped['named']:34.1f} {shipped['misnamed']:9.2f} {shipped['strangers']:10.2f}"
            )
    return "\n".join(lines)


def plot(folder: Path, trials: dict[float, Trial], threshold: float) -> None:
    """Writes ``voices.png``: how likeness is distributed, and what a threshold costs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from face_af_common.files import replacing

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    for seconds, trial in trials.items():
        limits = np.linspace(-0.2, 1, 241)
        rates = [trial.rates(float(limit)) for limit in limits]
        right.plot([r["strangers"] for r in rates], [r["named"] for r in rates], label=f"{seconds:g} s heard")
    trial = next(reversed(trials.values()))
    bins = np.linspace(-0.4, 1, 57)
    left.hist(trial.known[trial.right], bins, density=True, alpha=0.6, label="known, right")
    left.hist(trial.strangers, bins, density=True, alpha=0.6, label="strangers")
    left.axvline(threshold, color="black", linestyle="--", label="threshold")
    left.set(xlabel="similarity", ylabel="density")
    right.set(xlabel="strangers named, %", ylabel="known people named, %", xlim=(0, 10), ylim=(80, 100.5))
    left.legend(), right.legend()
    figure.tight_layout()
    with replacing(folder / "voices.png") as part:
        figure.savefig(part, dpi=120)
    plt.close(figure)
