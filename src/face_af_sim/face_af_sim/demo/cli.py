"""``./run demo``: the real graph against a simulated stage and a virtual Z8, with a report at the end."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from face_af_common.memory import keep_freed_memory

from .cast import CastError, prepare
from .run import DemoError, Options, run
from .screen import Screen, summary


def main(argv: Sequence[str] | None = None) -> int:
    options = _arguments(argv)
    keep_freed_memory()
    screen = Screen()
    if options.embedded:
        os.environ["FACE_AF_MODEL_DIR"] = os.devnull
    try:
        cast = prepare(options.out, options.people, options.target, screen.say)
        if options.prepare_only:
            screen.say(f"gallery:={cast.gallery} target:={cast.target} people:={cast.stage}")
            return 0
        screen.say("starting the graph; Ctrl-C ends it, and the report is about what there was")
        report = run(
            Options(
                cast=cast,
                out=options.out,
                duration=options.duration,
                lockstep=options.lockstep,
                video=not options.no_video,
                seed=options.seed,
                arguments=dict(_argument(text) for text in options.launch),
            ),
            lambda measure, now: screen.live(measure, now, options.duration),
        )
    except (CastError, DemoError, OSError) as error:
        screen.say(f"face_af demo: {error}")
        return 1
    except KeyboardInterrupt:
        screen.say("stopped")
        return 130
    if options.report is not None:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_bytes((options.out / "report.json").read_bytes())
    screen.say(summary(report, options.out, video=not options.no_video))
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--duration", type=float, default=30.0, metavar="S", help="seconds on stage (30)")
    parser.add_argument(
        "--lockstep", action="store_true", help="simulated time: results do not depend on this machine's speed"
    )
    parser.add_argument("--people", type=Path, metavar="DIR", help="your own people: one folder of photographs each")
    parser.add_argument(
        "--target", default="", metavar="NAME", help="whom to focus on (with --people: the first folder)"
    )
    parser.add_argument(
        "--embedded", action="store_true", help="use the models that come with PyPI wheels, whatever else is there"
    )
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random on stage (1)")
    parser.add_argument("--headless", action="store_true", help="no debug_view node for rqt_image_view")
    parser.add_argument("--no-video", action="store_true", help="write no demo.mp4")
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), metavar="DIR", help="folder for the results (out/demo)"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report there too")
    parser.add_argument("--record", type=Path, metavar="DIR", help="record a bag of the run")
    parser.add_argument("--prepare-only", action="store_true", help="make the cast and the gallery, start nothing")
    parser.add_argument("launch", nargs="*", metavar="name:=value", help="further launch arguments")
    options = parser.parse_args(argv)
    if options.duration <= 0:
        parser.error("--duration must be above 0")
    for text in options.launch:
        if ":=" not in text:
            parser.error(f"{text!r} is not of the form name:=value")
    options.launch.append(f"debug:={'false' if options.headless else 'true'}")
    if options.record is not None:
        options.launch += ["record:=true", f"bag:={options.record.resolve()}"]
    options.out = options.out.resolve()
    return options


def _argument(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":=")
    return name, value
