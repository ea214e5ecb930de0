"""Strangers, damaged files and full disks: random attacks on the running graph, and on every kind of file.

Says for each kind how many tries there were, what became of them, and what went wrong: a node that ended or did not
answer within 2 s, a traceback, a message of more than one line, an exception that no tool expects.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from face_af_common.files import write_json

Part = Callable[[Path, argparse.Namespace, random.Random], "dict[str, Any]"]


PARTS = (
    "files",
    "tools",
    "galleries",
    "messages",
    "services",
    "parameters",
    "packets",
    "camera",
    "interrupts",
    "machine",
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench hostile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000, metavar="N", help="tries of each kind (2000)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random (1)")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="these parts")
    parser.add_argument("--match", default="", metavar="REGEX", help="only the tools, or cases, whose name it fits")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit status 1 and a line for each finding")
    options = parser.parse_args(argv)
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for part in _parts(options.only):
            report |= part(Path(scratch), options, random.Random(options.seed))
            _write(options.report, report)
    for name, figures in report.items():
        print(f"{name:28} {figures['tries']:6} tries, {len(figures['findings'])} findings")
    missed = [f"{name}: {finding}" for name, figures in report.items() for finding in figures["findings"]]
    if options.check:
        for line in missed:
            print(f"missed: {line}", file=sys.stderr)
    return 1 if missed and options.check else 0


def _write(path: Path | None, report: dict[str, Any]) -> None:
    if path is not None:
        write_json(path, report)


def _parts(wanted: Sequence[str]) -> list[Part]:
    own: dict[str, Part] = {
        "files": _files,
        "tools": _tools,
        "camera": _camera,
        "interrupts": _interrupts,
        "machine": _machine,
    }
    found = [own[name] for name in wanted if name in own]
    if set(wanted) - set(own):
        found.append(_on_the_graph)
    return found


def _files(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts import disk

    return disk.attack(scratch / "files", options.rounds, rng)


def _tools(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    import multiprocessing

    from hostile_parts import tool_cases, tools

    multiprocessing.set_forkserver_preload(tool_cases.preload())
    chosen = [
        case
        for case in tool_cases.cases(scratch / "material")
        if re.search(options.match, f"{case.module} {case.name}")
    ]
    return tools.attack(chosen, scratch / "tools", options.rounds, rng, partial(_write, options.report))


def _interrupts(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts import interrupts

    return interrupts.attack(scratch / "interrupts", min(options.rounds, interrupts.TRIES), rng, options.match)


def _machine(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts import machine

    return machine.attack(scratch / "machine", options.match)


def _camera(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts import camera
    from live_graph import watching

    with watching(camera.Presser) as presser:
        return camera.attack(presser, scratch, options.rounds, rng)


def _on_the_graph(scratch: Path, options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts import live_gallery
    from hostile_parts.graph import Attack
    from hostile_parts.other_nodes import other_nodes
    from hostile_parts.stranger import Stranger
    from live_graph import live_graph, wait_until

    from face_af_common.ros_domain import free_port
    from nikon_mcn10_driver.ptp import ip

    out = scratch / "graph"
    camera_port, page_port = free_port(), free_port()
    arguments = {
        "camera_port": camera_port, "page": "true", "page_port": page_port, "debug": "true", "rate": 4.0,
        "record": "true", "bag": out / "bag",
    }  # fmt: skip
    with (
        live_graph(Stranger, out, arguments=arguments) as (_, stranger),
        other_nodes(scratch / "others") as others_log,
    ):
        if not wait_until(lambda: stranger.states > 30, 120.0):
            raise SystemExit(f"the graph does not come up: {(out / 'launch.log').read_text()[-2000:]}")
        if not wait_until(lambda: stranger.slowest_answer()[1] < 2.0, 120.0, 0.5):
            silent = stranger.slowest_answer()[0]
            raise SystemExit(f"{silent} does not answer: {others_log.read_text(errors='replace')[-2000:]}")
        attack = Attack(
            stranger, [out / "launch.log", others_log], options.rounds, rng, partial(_write, options.report)
        )
        for kind in [part for part in PARTS if part in options.only]:
            if kind == "packets":
                hello = ip.init_command_request(ip.Hello(bytes(16), "stranger")).encode()
                attack.packets(camera_port, page_port, hello)
            elif kind == "galleries":
                live_gallery.attack(attack, stranger, out / "gallery", options.rounds, rng)
            elif hasattr(attack, kind):
                getattr(attack, kind)()
        return attack.report


if __name__ == "__main__":
    sys.exit(main())
