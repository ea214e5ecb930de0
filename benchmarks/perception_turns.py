"""``./run bench perception_turns --before FOLDER``: is perception slower than in another checkout of the project?

Both run ``benchmarks/perception.py`` in turns on this machine, so that what else it does disturbs both alike. The
median of the processor time of a frame is compared, which hardly changes on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from face_af_common.files import write_json

HERE = Path(__file__).resolve().parent.parent
SLOWER = 1.03
"""Ratio of the times that is still no change for the worse."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench perception_turns", description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="folder with the other checkout")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--frames", type=int, default=60, help="frames for each number of faces and turn")
    parser.add_argument("--sets", nargs="*", default=["scrfd", "centerface"], help="models, by their detector")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help=f"fail where it is slower by more than {SLOWER:.2f}")
    options = parser.parse_args(argv)
    times: dict[str, dict[str, list[float]]] = {}
    for _ in range(options.rounds):
        for name, folder in (("before", options.before.resolve()), ("now", HERE)):
            for key, spent in _run(folder, options.frames, options.sets).items():
                times.setdefault(key, {"before": [], "now": []})[name].append(spent)
    figures: dict[str, dict[str, float]] = {}
    for key, both in times.items():
        before, now = (statistics.median(both[name]) for name in ("before", "now"))
        figures[key] = {"before_ms": before, "now_ms": now, "ratio": round(now / before, 3)}
        print(f"{key:24} before {before:6.2f} ms, now {now:6.2f} ms, ratio {now / before:.3f}")
    if options.report:
        write_json(options.report, figures)
    slow = [f"{key}: slower by {row['ratio']:.3f}" for key, row in figures.items() if row["ratio"] > SLOWER]
    print("\n".join(slow) if options.check else "", end="")
    return 1 if options.check and slow else 0


def _run(folder: Path, frames: int, sets: Sequence[str]) -> dict[str, float]:
    """Processor time of a frame in milliseconds, by models and number of faces."""
    packages = [str(path.parent.parent) for path in sorted((folder / "src").glob("*/*/__init__.py"))]
    others = [path for path in sys.path if path and not Path(path).is_relative_to(HERE / "src")]
    # without our workspace each checkout takes its own models.yaml
    prefixes = os.environ["AMENT_PREFIX_PATH"].split(os.pathsep)
    shares = [prefix for prefix in prefixes if not Path(prefix).is_relative_to(HERE / "install")]
    paths = {"PYTHONPATH": os.pathsep.join(packages + others), "AMENT_PREFIX_PATH": os.pathsep.join(shares)}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [sys.executable, str(folder / "benchmarks" / "perception.py"), "--frames", str(frames)]
        subprocess.run(
            [*command, "--people", "100", "--report", str(report), "--sets", *sets],
            env={**os.environ, **paths},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        measured = json.loads(report.read_text())["sets"]
    return {f"{name}, {row['faces']} faces": row["cpu_ms"] for name, found in measured.items() for row in found["rows"]}


if __name__ == "__main__":
    sys.exit(main())
