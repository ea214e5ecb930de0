"""``./run demo``: the real graph against a simulated stage and a virtual Z8, with a report at the end."""

from __future__ import annotations

import argparse
import contextlib
import os
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from face_af_common.files import FileError, locked, told, write_json
from face_af_common.memory import keep_freed_memory
from face_af_common.ros_domain import free_port

from .cast import CastError, prepare
from .run import DemoError, Options, run
from .screen import Screen, summary

_PAGE_TRIES = 120


def main(argv: Sequence[str] | None = None) -> int:
    options = _arguments(argv)
    keep_freed_memory()
    screen = Screen()
    if options.embedded:
        os.environ["FACE_AF_MODEL_DIR"] = os.devnull
    try:
        with locked(options.out / ".lock", 0.0, f"{options.out} (--out)"):
            return _demo(options, screen)
    except (CastError, DemoError) as error:
        screen.say(f"face_af demo: {error}")
        return 1
    except OSError as error:
        screen.say(f"face_af demo: {told(error)}")
        return 1
    except KeyboardInterrupt:
        screen.say("stopped")
        raise


def _demo(options: argparse.Namespace, screen: Screen) -> int:
    cast = prepare(options.out / "gallery", options.people, options.target, screen.say)
    if options.prepare_only:
        screen.say(f"gallery:={cast.gallery} target:={cast.target} people:={cast.stage}")
        return 0
    screen.say("starting the graph; Ctrl-C ends it, and the report is about what there was")
    arguments = dict(_argument(text) for text in options.launch)
    _show_page(arguments, not options.headless, screen)
    result = run(
        Options(
            cast=cast,
            out=options.out,
            duration=options.duration,
            lockstep=options.lockstep,
            video=not options.no_video,
            seed=options.seed,
            arguments=arguments,
        ),
        lambda measure, now: screen.live(measure, now, options.duration),
    )
    not_written = list(result.not_written)
    if options.report is not None:
        try:
            write_json(options.report, result.report)
        except FileError as error:
            not_written.append(str(error))
    screen.say(summary(result.report, options.out, video=not options.no_video))
    for line in not_written:
        screen.say(f"face_af demo: not written: {line}")
    return 1 if not_written else 0


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
    parser.add_argument("--headless", action="store_true", help="no debug_view for rqt_image_view, no browser")
    parser.add_argument("--no-page", action="store_true", help="do not serve the page")
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
    given = {_argument(text)[0] for text in options.launch}
    if not options.no_page and "page" not in given:
        options.launch.append("page:=true")
    if "page_port" not in given:
        options.launch.append(f"page_port:={free_port()}")
    options.launch.append(f"debug:={'false' if options.headless else 'true'}")
    if options.record is not None:
        options.launch += ["record:=true", f"bag:={options.record.resolve()}"]
    options.out = options.out.resolve()
    return options


def _show_page(arguments: dict[str, str], browser: bool, screen: Screen) -> None:
    """Says where the page will be, and opens it where there is a desktop."""
    if arguments.get("page") != "true" or "page_port" not in arguments:
        return
    address = f"http://127.0.0.1:{arguments['page_port']}/"
    screen.say(f"the page: {address}")
    if browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        threading.Thread(target=_open_when_there, args=(address,), daemon=True).start()


def _open_when_there(address: str) -> None:
    for _ in range(_PAGE_TRIES):
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=1.0):
            webbrowser.open(address)
            return
        time.sleep(0.5)


def _argument(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":=")
    return name, value
