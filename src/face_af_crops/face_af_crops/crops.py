"""``crops``: clean crops of one person, or a few, from video."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from face_af_common import yaml_files

from .engine import Models
from .errors import CropError
from .report import VideoReport, nearest
from .run import Request, make_crops
from .settings import PRESETS, make_settings, read_settings


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    from face_af_common.params import ParamError
    from face_af_inference.runtimes import ModelError

    bar = _Bar()
    try:
        request = _request(options)
        reports = make_crops(request, bar.show, _say)
    except (CropError, ParamError, ModelError) as error:
        bar.close()
        _say(f"crops: {error}")
        return 1
    except KeyboardInterrupt:
        bar.close()
        _say("crops: stopped; what was done is kept, the same command goes on from here")
        return 130
    bar.close()
    return _summary(reports, request)


def _parser() -> argparse.ArgumentParser:
    from face_af_common.paths import gallery_dir
    from face_af_people.models import add_model_options

    parser = argparse.ArgumentParser(prog="crops", description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument(
        "--ref", action="append", default=[], metavar="[NAME=]PHOTO|FOLDER|GALLERY:NAME", help="whom to look for"
    )
    parser.add_argument("--not", action="append", default=[], dest="nots", metavar="PHOTO", help="a double of theirs")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder, or one to continue")
    parser.add_argument("--preset", choices=list(PRESETS), default="balanced")
    parser.add_argument("--settings", type=Path, metavar="YAML", help="settings of your own, over the preset")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting")
    parser.add_argument("--ratio", metavar="W:H[,W:H…]", help="shapes to choose from (2:3,1:1,3:2)")
    parser.add_argument("--format", choices=("jpg", "png", "webp"))
    parser.add_argument("--long-side", type=int, metavar="PIXELS")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="seconds from the beginning")
    parser.add_argument("--end", type=float, metavar="S")
    parser.add_argument("--allow-back", action="store_true", help="also frames without a visible face, for a moment")
    parser.add_argument("--dry-run", action="store_true", help="only say in which spans the person is")
    parser.add_argument("--restart", action="store_true", help="begin anew in a folder of an earlier run")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")
    parser.add_argument("--dask", default="", metavar="ADDRESS", help="a Dask scheduler: tls://HOST:PORT, or loopback")
    parser.add_argument("--gallery", type=Path, default=gallery_dir(), metavar="DIR", help="where GALLERY: looks")
    add_model_options(parser)
    return parser


def _request(options: argparse.Namespace) -> Request:
    changes: dict[str, Any] = read_settings(options.settings) if options.settings else {}
    for text in options.set:
        name, separator, value = text.partition("=")
        if not separator:
            raise CropError(f"--set {text}: NAME=VALUE is needed")
        try:
            changes[name] = yaml_files.parse(value, f"--set {text}")
        except yaml_files.YamlError as error:
            raise CropError(str(error)) from error
    if options.ratio:
        changes["ratios"] = [part.strip() for part in options.ratio.split(",")]
    for name in ("format", "long_side"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.allow_back:
        changes["allow_back"] = True
    if options.jobs < 1:
        raise CropError("--jobs: at least 1")
    if options.start < 0 or (options.end is not None and options.end <= options.start):
        raise CropError("--start and --end: seconds, the end after the start")
    return Request(
        videos=tuple(options.videos),
        refs=tuple(options.ref),
        nots=tuple(options.nots),
        out=options.out,
        settings=make_settings(options.preset, changes),
        models=models_of(options),
        gallery=options.gallery,
        start=options.start,
        end=options.end,
        jobs=options.jobs,
        dask=options.dask,
        dry_run=options.dry_run,
        restart=options.restart,
    )


def models_of(options: argparse.Namespace) -> Models:
    """What the command line says of the models."""
    return Models(
        options.detector,
        options.embedder,
        options.model_dir,
        str(options.manifest or ""),
        options.runtime,
        options.threads,
    )


class _Bar:
    """A progress bar in seconds of video, with the time left."""

    NAMES = {"scan": "pre-scan", "crops": "crops"}  # noqa: RUF012

    def __init__(self) -> None:
        self._bar: Any = None
        self._kind = ""

    def show(self, kind: str, done: float, whole: float) -> None:
        from tqdm import tqdm

        if kind != self._kind:
            self.close()
            self._kind = kind
            form = "{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of video [{elapsed}<{remaining}]"
            self._bar = tqdm(total=whole, desc=self.NAMES[kind], bar_format=form, disable=None, leave=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _summary(reports: Sequence[VideoReport], request: Request) -> int:
    found = False
    for report in reports:
        for person, spans in report.spans.items():
            if spans:
                found = True
                shown = ", ".join(f"{s.start:.1f}-{s.end:.1f} s" for s in spans[:12])
                shown += f" and {len(spans) - 12} more" if len(spans) > 12 else ""
                crops = "" if request.dry_run else f"{len(report.crops[person])} crops; "
                print(f"{report.video}: {person}: {crops}{shown}")
            else:
                best = nearest(report, person)
                near = (
                    f"the nearest face comes to {1 - best.distance:.2f} at {best.time:.1f} s"
                    f" ({1 - request.settings.prescan_fd_enter:.2f} is needed)"
                    if best
                    else "there is no face in it"
                )
                print(f"{report.video}: {person} was not found; {near}")
    if not request.dry_run and found:
        print(f"{request.out}: crops/, index.csv, timeline.png")
    return 0 if found else 3


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
