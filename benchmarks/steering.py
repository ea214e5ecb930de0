"""Closed-loop scenarios without rendering: our planner beside the plain policy and an all-knowing one.

./run bench steering [--scenarios N] [--report FILE] [--seeds tune|judge] [--harsh] [--only NAME] [--plot FILE]
./run bench steering --robustness    one condition after the other: rates, delays, losses, misread boxes, a busy graph
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from steering_sim import plots
from steering_sim.conditions import AS_DRAWN, ROBUSTNESS, Conditions
from steering_sim.measure import POLICIES, Result, play
from steering_sim.scenarios import NAMES, make

FIRST_SEED = {"tune": 0, "judge": 1_000_000}
"""What the planner was tuned on, and what it is judged by, never meet."""


_Job = tuple[str, int, bool, Conditions, tuple[str, ...]]


def _job(job: _Job) -> list[Result]:
    name, seed, harsh, conditions, policies = job
    return [play(make(name, seed, harsh, conditions), policy) for policy in policies]


def _play_all(jobs: Sequence[_Job], processes: int) -> list[Result]:
    if processes <= 1:
        return [result for job in jobs for result in _job(job)]
    with ProcessPoolExecutor(processes) as pool:
        return [result for group in pool.map(_job, jobs, chunksize=2) for result in group]


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The figures over some results of one policy."""
    visible = sum(r.visible_s for r in results)
    minutes = sum(r.seconds for r in results) / 60
    frame_s = 1 / results[0].fps
    acquire = sorted(n for r in results for n in r.acquire_frames) or [0]
    return {
        "on_target": sum(r.on_target_s for r in results) / max(visible, 1e-9),
        "acquire_p50_s": statistics.median(acquire) * frame_s,
        "acquire_p50_within_frame_s": statistics.median_grouped(acquire) * frame_s,
        "acquire_p95_s": acquire[int(0.95 * len(acquire))] * frame_s,
        "presses_per_min": sum(r.presses for r in results) / minutes,
        "presses_while_right_per_min": sum(r.presses_while_right for r in results) / minutes,
        "overridden": sum(r.overridden for r in results),
        "overridden_clear": sum(r.overridden_clear for r in results),
        "false_yields_per_min": sum(r.false_yields for r in results) / minutes,
        "hand_moves": sum(r.hand_moves for r in results),
    }


def report(results: Sequence[Result]) -> dict[str, Any]:
    groups = {name: [r for r in results if r.scenario == name] for name in NAMES}
    groups = {name: group for name, group in groups.items() if group}
    return {
        "simulated_s": sum(r.seconds for r in results) / len(POLICIES),
        "scenarios": {
            name: {p: summary([r for r in group if r.policy == p]) for p in POLICIES} for name, group in groups.items()
        },
        "all": {p: summary([r for r in results if r.policy == p]) for p in POLICIES},
    }


def table(data: dict[str, Any]) -> str:
    head = (
        f"{'scenario':15} {'on target: ours':>15} {'plain':>6} {'knowing':>8} {'ratio':>6} {'late':>6}"
        f" | {'acquire p50':>11} {'knowing':>7} {'late':>6} {'p95':>6} {'knowing':>7}"
        f" | {'presses/min':>11} {'plain':>6} {'knowing':>7} | {'while right':>11} {'plain':>6}"
        f" | {'overridden':>10} {'clear':>5}"
    )
    lines = [head, "-" * len(head)]
    for name, by in [*data["scenarios"].items(), ("ALL", data["all"])]:
        o, p, k, late = (by[x] for x in POLICIES)
        known = max(k["on_target"], 1e-9)
        lines.append(
            f"{name:15} {o['on_target']:15.1%} {p['on_target']:6.1%} {k['on_target']:8.1%}"
            f" {o['on_target'] / known:6.1%} {late['on_target'] / known:6.1%}"
            f" | {o['acquire_p50_s']:9.2f} s {k['acquire_p50_s']:5.2f} s {late['acquire_p50_s']:4.2f} s"
            f" {o['acquire_p95_s']:4.2f} s {k['acquire_p95_s']:5.2f} s"
            f" | {o['presses_per_min']:11.1f} {p['presses_per_min']:6.1f} {k['presses_per_min']:7.1f}"
            f" | {o['presses_while_right_per_min']:11.2f} {p['presses_while_right_per_min']:6.2f}"
            f" | {o['overridden']:4d} of {o['hand_moves']:2d} {o['overridden_clear']:5d}"
        )
    return "\n".join(lines)


def robustness(scenarios: int, seeds: str, harsh: bool, processes: int) -> dict[str, Any]:
    """Our planner's figures beside the all-knowing policy's under each of :data:`ROBUSTNESS`, printed as they come."""
    head = (
        f"{'conditions':20} {'on target: ours':>15} {'knowing':>8} {'ratio':>6} {'worst':>6} {'of':15}"
        f" | {'acquire p50':>11} {'knowing':>7} | {'presses/min':>11} {'knowing':>7} | {'while right':>11}"
        f" | {'overridden':>10} {'clear':>5} | {'false yields/min':>16}"
    )
    print(head + "\n" + "-" * len(head))
    policies = ("ours", "all-knowing")
    data: dict[str, Any] = {}
    for conditions in ROBUSTNESS:
        jobs = [(*which, harsh, conditions, policies) for which in _draws(NAMES, seeds, scenarios)]
        results = _play_all(jobs, processes)
        ours, knowing = ([r for r in results if r.policy == p] for p in policies)
        ratios = {
            name: summary([r for r in ours if r.scenario == name])["on_target"]
            / max(summary([r for r in knowing if r.scenario == name])["on_target"], 1e-9)
            for name in sorted({r.scenario for r in results})
        }
        worst = min(ratios, key=ratios.__getitem__)
        o, k = summary(ours), summary(knowing)
        data[conditions.name] = {"ours": o, "all-knowing": k, "ratios": ratios}
        print(
            f"{conditions.name:20} {o['on_target']:15.1%} {k['on_target']:8.1%}"
            f" {o['on_target'] / k['on_target']:6.1%} {ratios[worst]:6.1%} {worst:15}"
            f" | {o['acquire_p50_s']:9.2f} s {k['acquire_p50_s']:5.2f} s"
            f" | {o['presses_per_min']:11.1f} {k['presses_per_min']:7.1f}"
            f" | {o['presses_while_right_per_min']:11.2f}"
            f" | {o['overridden']:4d} of {o['hand_moves']:2d} {o['overridden_clear']:5d}"
            f" | {o['false_yields_per_min']:16.2f}",
            flush=True,
        )
    return data


def _draws(names: Sequence[str], seeds: str, count: int) -> list[tuple[str, int]]:
    return [(names[i % len(names)], FIRST_SEED[seeds] + i // len(names)) for i in range(count)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run bench steering", description=__doc__.splitlines()[0])
    parser.add_argument("--scenarios", type=int, default=104, help="how many, spread over all kinds (default: 104)")
    parser.add_argument("--seeds", choices=sorted(FIRST_SEED), default="judge", help="default: judge")
    parser.add_argument("--harsh", action="store_true", help="cameras that queue every press and answer slowly")
    parser.add_argument("--robustness", action="store_true", help="other conditions than those it was tuned for")
    parser.add_argument("--only", choices=NAMES, help="one kind of scenario")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--plot", type=Path, help="draw the figures as a PNG")
    parser.add_argument("--timeline", type=Path, help="draw three scenarios' course as a PNG")
    args = parser.parse_args(argv)
    names = (args.only,) if args.only else NAMES
    start = time.monotonic()
    if args.robustness:
        data = robustness(args.scenarios, args.seeds, args.harsh, args.jobs)
        _write(args.report, {"seeds": args.seeds, "harsh": args.harsh, "conditions": data})
        return 0
    jobs = [(*which, args.harsh, AS_DRAWN, POLICIES) for which in _draws(names, args.seeds, args.scenarios)]
    results = _play_all(jobs, args.jobs)
    data = report(results)
    data["seeds"] = args.seeds
    data["harsh"] = args.harsh
    print(table(data))
    o, _, k, late = (data["all"][policy]["acquire_p50_within_frame_s"] for policy in POLICIES)
    print(f"acquire p50, times taken as spread over their frame: ours {o:.3f}, knowing {k:.3f}, late {late:.3f} s")
    print(f"{data['simulated_s']:.0f} simulated seconds for each policy in {time.monotonic() - start:.1f} s")
    _write(args.report, data)
    if args.plot:
        plots.figures(data, args.plot)
    if args.timeline:
        plots.timelines(args.timeline)
    return 0


def _write(path: Path | None, data: dict[str, Any]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
