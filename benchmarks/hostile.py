"""Strangers, damaged files and full disks: random attacks on the running graph, and on every kind of file.

Says for each kind how many tries there were, what became of them, and what went wrong: a node that ended or did not
answer within 2 s, a traceback, a message of more than one line, an exception that no tool expects.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hostile_parts import disk

from face_af_common.files import write_json


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench hostile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000, metavar="N", help="tries of each kind (2000)")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random (1)")
    parser.add_argument("--only", choices=("files", "messages", "services", "parameters", "packets"), nargs="+")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit status 1 and a line for each finding")
    options = parser.parse_args(argv)
    wanted = options.only or ["files", "messages", "services", "parameters", "packets"]
    report: dict[str, Any] = {}
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as scratch:
        if "files" in wanted:
            report |= disk.attack(Path(scratch) / "files", options.rounds, rng)
        if set(wanted) - {"files"}:
            report |= _on_the_graph(Path(scratch) / "graph", [kind for kind in wanted if kind != "files"], options, rng)
    for name, figures in report.items():
        print(f"{name:28} {figures['tries']:6} tries, {len(figures['findings'])} findings")
    if options.report is not None:
        write_json(options.report, report)
    missed = [f"{name}: {finding}" for name, figures in report.items() for finding in figures["findings"]]
    if options.check:
        for line in missed:
            print(f"missed: {line}", file=sys.stderr)
    return 1 if missed and options.check else 0


def _on_the_graph(out: Path, kinds: Sequence[str], options: argparse.Namespace, rng: random.Random) -> dict[str, Any]:
    from hostile_parts.graph import Attack, Stranger
    from live_graph import live_graph, wait_until

    from face_af_common.ros_domain import free_port
    from nikon_mcn10_driver.ptp import ip

    port = free_port()
    with live_graph(Stranger, out, arguments={"camera_port": port}) as (_, stranger):
        if not wait_until(lambda: stranger.states > 30, 120.0):
            raise SystemExit(f"the graph does not come up: {(out / 'launch.log').read_text()[-2000:]}")
        attack = Attack(stranger, out / "launch.log", options.rounds, rng)
        for kind in kinds:
            if kind == "packets":
                attack.packets(port, ip.init_command_request(ip.Hello(bytes(16), "stranger")).encode())
            else:
                getattr(attack, kind)()
        return attack.report


if __name__ == "__main__":
    sys.exit(main())
