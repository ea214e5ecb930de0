"""Console script ``prepare_stage``: cuts out the people on stage in advance; enrols the target where it is asked to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import cast
from .demo.cast import CastError, prepare


def say(text: str) -> None:
    print(text, file=sys.stderr)


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="prepare_stage",
        description="Prepare the people on the simulated stage; prints the folder to enrol the target from.",
    )
    parser.add_argument(
        "--people", type=Path, help="folder with one folder of photographs for each person (default: the samples)"
    )
    parser.add_argument("--target", default="", help="whose photographs are for enrolment (default: the first)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--folder", type=Path, help="where to keep what is prepared")
    where.add_argument("--gallery", type=Path, help="enrol the target too, in a new gallery there, and print its name")
    options = parser.parse_args(args)
    try:
        if options.gallery is not None:
            print(prepare(options.gallery, options.people, options.target, say).target)
            return 0
        prepared = cast.prepare_stage(str(options.people or ""), options.target, options.folder, say)
    except (CastError, cast.CastError) as error:
        say(f"prepare_stage: {error}")
        return 1
    say(f"{len(prepared.figures)} people are ready; the target is {prepared.target}")
    print(prepared.enrolment)
    return 0
