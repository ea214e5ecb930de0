"""``ros2 run face_af_people evaluate``: how well the models recognise the people on given photographs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import write_json

from .calibrate import calibrations
from .compare import compare
from .evaluation_report import recommended, table
from .identification import identification, usable
from .labelled_photos import Photos, read_pairs, read_people
from .models import add_model_options, complain, open_analyser
from .photos import PhotoError
from .verification import verification

EPILOG = """examples:
  evaluate --pairs pairs.csv                   columns: two photos, and Yes or No
  evaluate --people people                     a folder with one folder of photos a person
  evaluate --people identities.csv             columns: photo, person
  evaluate --pairs pairs.csv --people people --json out/figures.json --plots out/figures
Photos in a CSV file are looked for beside it. The largest face of each photo is taken."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)

    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        photos = Photos(analyser)
        report, plots = _figures(options, photos)
    except (ModelError, PhotoError) as error:
        complain(error)
        return 2
    report["problems"] = photos.problems
    for line in photos.problems:
        complain(line)
    report["recommended"] = recommended(report, analyser)
    print(table(report))
    if options.json:
        write_json(options.json, report)
    if options.plots:
        from .evaluation_plots import write_plots

        write_plots(options.plots, plots, report)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="evaluate", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--pairs", type=Path, metavar="CSV", help="verification: pairs of photos, same person or not")
    parser.add_argument("--people", type=Path, metavar="DIR_OR_CSV", help="open-set identification of these people")
    parser.add_argument("--enrol", type=int, nargs="+", default=[1, 2], metavar="K", help="photos enrolled (1 2)")
    parser.add_argument("--far", type=float, default=0.005, help="false-accept rate to aim at, 0 to 1 (0.005)")
    parser.add_argument("--repeats", type=int, default=50, help="random choices of the enrolled photos (50)")
    parser.add_argument("--split", action="store_true", help="count people whose photos look like several as several")
    parser.add_argument("--compare", action="store_true", help="other detectors and recognisers beside ours")
    parser.add_argument("--calibrate", action="store_true", help="fit each embedder's calibration for the manifest")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes all figures")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="writes roc, scores, open_set, compared … .png")
    add_model_options(parser)
    options = parser.parse_args(argv)
    if not options.pairs and not options.people:
        parser.error("--pairs or --people is needed")
    if (options.calibrate or options.compare) and not options.people:
        parser.error("--calibrate and --compare need --people")
    if not 0 <= options.far < 1 or min(options.enrol) < 1 or options.repeats < 1:
        parser.error("--far must be 0 to 1, --enrol and --repeats at least 1")
    return options


def _figures(options: argparse.Namespace, photos: Photos) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report, and the curves to be drawn. Raises :class:`PhotoError`."""
    analyser = photos.analyser
    report: dict[str, Any] = {
        "detector": analyser.detector.spec.model_id,
        "embedder": analyser.embedder.model_id,
        "threshold": round(analyser.embedder.threshold, 4),
        "far": options.far,
    }
    plots: dict[str, Any] = {}
    if options.pairs:
        report["verification"], plots["verification"] = verification(photos, read_pairs(options.pairs), options.far)
    if not options.people:
        return report, plots
    people = read_people(options.people)
    report["open_set"], plots["open_set"] = identification(
        photos, people, enrol=options.enrol, far=options.far, repeats=options.repeats, split=options.split
    )
    if options.compare:
        report["compared"] = compare(
            photos, usable(photos, people, options.split)[0], options,
            enrol=max(options.enrol), far=options.far, repeats=options.repeats, say=complain,
        )  # fmt: skip
    if options.calibrate:
        report["calibration"] = calibrations(photos, people)
    return report, plots
