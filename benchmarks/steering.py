"""Closed-loop scenarios without rendering: our planner beside a plain policy and two that know everything.

./run bench steering [--scenarios N] [--seeds tune|judge|wide] [--only FAMILY] [--report FILE] [--check] [--plot FILE]
./run bench steering --robustness    one condition after the other: rates, delays, losses, misread boxes, a busy graph
./run bench steering --preference FILE    both mistakes about who moved the focus over the preference, as a PNG
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from face_af_common.files import write_json

sys.path.insert(0, str(Path(__file__).parent))

from steering_sim import cost, figures, plots, preference
from steering_sim.conditions import AS_DRAWN, ROBUSTNESS, Conditions
from steering_sim.measure import POLICIES, Result, play
from steering_sim.scenarios import ALONE, NAMES, WITH_PEOPLE, make

from face_af_steering.planner import Planner, PlannerParams

SEED_SETS = {"tune": (0, 1.0), "judge": (1_000_000, 1.0), "wide": (2_000_000, 2.0)}
"""First seed and width of the ranges. What the planner was tuned on and what it is judged by never meet."""

_Job = tuple[str, int, float, Conditions, tuple[str, ...]]


def _job(job: _Job) -> list[Result]:
    """Every policy through one scenario; ``ours: always`` is our planner with that value of ``photographer``."""
    name, seed, width, conditions, policies = job
    results = []
    for policy in policies:
        who, _, mode = policy.partition(": ")
        maker = partial(Planner, PlannerParams(photographer=mode or "insists"))
        result = play(make(name, seed, width, conditions), who, maker)
        result.policy = policy
        results.append(result)
    return results


def _play_all(jobs: Sequence[_Job], processes: int) -> list[Result]:
    return [result for group in mapped(_job, jobs, processes) for result in group]


def mapped(function: Any, jobs: Sequence[Any], processes: int) -> Iterator[Any]:
    """``map`` over some processes, in order."""
    if processes <= 1:
        yield from map(function, jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(function, jobs, chunksize=2)


def draws(names: Sequence[str], seeds: str, count: int) -> list[tuple[str, int, float]]:
    """Families, seeds and widths of ``count`` scenarios, spread over ``names``."""
    first, width = SEED_SETS[seeds]
    return [(names[i % len(names)], first + i // len(names), width) for i in range(count)]


def _policies(name: str) -> tuple[str, ...]:
    return (*POLICIES, "ours: always" if name in WITH_PEOPLE else "ours: never")


def robustness(scenarios: int, seeds: str, processes: int) -> dict[str, Any]:
    """Our planner's figures beside the all-knowing policy's under each of :data:`ROBUSTNESS`, printed as they come."""
    print(figures.ROBUSTNESS_HEAD)
    data: dict[str, Any] = {}
    for conditions in ROBUSTNESS:
        jobs = [(*which, conditions, ("ours", "all-knowing")) for which in draws(ALONE, seeds, scenarios)]
        data[conditions.name] = figures.report(_play_all(jobs, processes), ("ours", "all-knowing"))
        print(figures.robustness_line(conditions.name, data[conditions.name]), flush=True)
    return data


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run bench steering", description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", type=int, default=len(NAMES) * 5, help="how many, spread over all families")
    parser.add_argument("--seeds", choices=list(SEED_SETS), default="judge", help="default: judge")
    parser.add_argument("--robustness", action="store_true", help="other conditions than those it was tuned for")
    parser.add_argument("--preference", type=Path, metavar="FILE", help="draw both mistakes over the preference")
    parser.add_argument("--only", choices=NAMES, help="one family of scenarios")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 and name each figure that is missed")
    parser.add_argument("--plot", type=Path, help="draw the figures as a PNG")
    parser.add_argument("--timeline", type=Path, help="draw three scenarios' course as a PNG")
    args = parser.parse_args(argv)
    start = time.monotonic()
    if args.robustness:
        _write(args.report, {"seeds": args.seeds, "conditions": robustness(args.scenarios, args.seeds, args.jobs)})
        return 0
    if args.preference:
        points = preference.jobs(draws((*ALONE, *WITH_PEOPLE), args.seeds, args.scenarios))
        data = preference.curves(mapped(preference.job, points, args.jobs))
        print(preference.table(data))
        plots.preference(data, args.preference)
        _write(args.report, {"seeds": args.seeds, **data})
        return 0
    names = (args.only,) if args.only else NAMES
    jobs = [(*which, AS_DRAWN, _policies(which[0])) for which in draws(names, args.seeds, args.scenarios)]
    data = figures.report(_play_all(jobs, args.jobs), POLICIES)
    data["seeds"] = args.seeds
    data["update_ms"] = cost.update_ms()
    print("\n".join(figures.tables(data)))
    print(f"update: median {data['update_ms']['median']:.3f} ms, slowest hundredth {data['update_ms']['p99']:.3f} ms")
    print(f"{data['simulated_s']:.0f} simulated seconds for each policy in {time.monotonic() - start:.0f} s")
    _write(args.report, data)
    if args.plot:
        plots.families(data, args.plot)
    if args.timeline:
        plots.timelines(args.timeline)
    return _tell(figures.missed(data)) if args.check else 0


def _tell(lines: Iterable[str]) -> int:
    missed = list(lines)
    for line in missed:
        print(f"missed: {line}")
    return 1 if missed else 0


def _write(path: Path | None, data: dict[str, Any]) -> None:
    if path is not None:
        write_json(path, data)


if __name__ == "__main__":
    sys.exit(main())
