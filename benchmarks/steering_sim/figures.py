"""Figures of many results: sums, ratios to those who know more, tables, and what is asked of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from .measure import Result
from .scenarios import ALONE, NAMES, SLOW, WITH_PEOPLE

Figures = dict[str, Any]


def summary(results: Sequence[Result]) -> Figures:
    """The figures over some results of one policy."""
    if not results:
        return {}
    visible = sum(r.visible_s for r in results)
    minutes = sum(r.seconds for r in results) / 60
    frame_s = 1 / results[0].fps
    acquire = sorted(n for r in results for n in r.acquire_frames) or [0]
    wishes = sum(r.wishes for r in results)
    return {
        "on_target": sum(r.on_target_s for r in results) / max(visible, 1e-9),
        "acquire_p50_s": statistics.median(acquire) * frame_s,
        "acquire_p50_within_frame_s": statistics.median_grouped(acquire) * frame_s,
        "acquire_p95_s": acquire[int(0.95 * len(acquire))] * frame_s,
        "presses_per_min": sum(r.presses for r in results) / minutes,
        "presses_while_right_per_min": sum(r.presses_while_right for r in results) / minutes,
        "false_yields_per_min": sum(r.false_yields for r in results) / minutes,
        "wishes": wishes,
        "wish_fulfilled": sum(r.fulfilled_s for r in results) / max(sum(r.wish_s for r in results), 1e-9),
        "presses_per_wish": sum(r.presses_against for r in results) / max(wishes, 1),
        "against_insisting": sum(r.against_insisting for r in results),
    }


def report(results: Sequence[Result], policies: Sequence[str]) -> Figures:
    """Figures by family and policy, of all families without people, of all with, and of those seen slowly."""

    def by_policy(names: Sequence[str]) -> Figures:
        group = [r for r in results if r.scenario in names]
        return {p: summary([r for r in group if r.policy == p]) for p in {r.policy for r in group}}

    families = {name: by_policy([name]) for name in NAMES}
    return {
        "simulated_s": sum(r.seconds for r in results if r.policy == policies[0]),
        "families": {name: by for name, by in families.items() if by},
        "alone": by_policy(ALONE),
        "with_people": by_policy(WITH_PEOPLE),
        "slow": by_policy(SLOW),
    }


def ratio(by: Figures, policy: str, figure: str = "on_target", than: str = "all-knowing") -> float:
    """A policy's figure as a share of another's."""
    return float(by[policy][figure] / max(by[than][figure], 1e-9))


def tables(data: Figures) -> Iterator[str]:
    """Three tables as lines: families without people, with, and those that are seen slowly."""
    families = data["families"]
    alone = [(name, families[name]) for name in ALONE if name in families]
    if alone:
        yield (
            f"{'family':20} {'on target: ours':>15} {'plain':>6} {'knowing':>8} {'ratio':>6} {'never':>6} {'late':>6}"
            f" | {'acquire p50':>11} {'knowing':>7} {'late':>6} {'p95':>6} {'knowing':>7}"
            f" | {'presses/min':>11} {'plain':>6} {'knowing':>7} | {'while right':>11} {'plain':>6}"
            f" | {'false yields':>12}"
        )
        yield from (_alone(name, by) for name, by in [*alone, ("ALL", data["alone"])])
    people = [(name, families[name]) for name in WITH_PEOPLE if name in families]
    if people:
        yield ""
        yield (
            f"{'with people':20} {'outside: ours':>13} {'knowing':>8} {'ratio':>6}"
            f" | {'fulfilled: ours':>15} {'knowing':>8} {'ratio':>6}"
            f" | {'against a wish':>14} {'insisting':>9}"
            f" | {'always: outside':>15} {'fulfilled':>9} {'against':>7} | {'wishes':>6}"
        )
        yield from (_people(name, by) for name, by in [*people, ("ALL", data["with_people"])])
    slow = [(name, families[name]) for name in SLOW if name in families]
    if slow:
        yield ""
        yield (
            f"{'seen slowly':20} {'on target: ours':>15} {'late':>6} {'ratio':>6} {'plain':>6}"
            f" | {'fulfilled: ours':>15} {'late':>6} | {'against a wish':>14} {'insisting':>9}"
            f" | {'presses/min':>11} {'late':>5} | {'while right':>11} | {'false yields':>12}"
        )
        yield from (_slow(name, by) for name, by in [*slow, ("ALL", data["slow"])])


def _alone(name: str, by: Figures) -> str:
    o, p, k, late = (by[x] for x in ("ours", "plain", "all-knowing", "late"))
    never = f"{ratio(by, 'ours: never'):6.1%}" if "ours: never" in by else f"{'':6}"
    return (
        f"{name:20} {o['on_target']:15.1%} {p['on_target']:6.1%} {k['on_target']:8.1%}"
        f" {ratio(by, 'ours'):6.1%} {never} {ratio(by, 'late'):6.1%}"
        f" | {o['acquire_p50_s']:9.2f} s {k['acquire_p50_s']:5.2f} s {late['acquire_p50_s']:4.2f} s"
        f" {o['acquire_p95_s']:4.2f} s {k['acquire_p95_s']:5.2f} s"
        f" | {o['presses_per_min']:11.1f} {p['presses_per_min']:6.1f} {k['presses_per_min']:7.1f}"
        f" | {o['presses_while_right_per_min']:11.2f} {p['presses_while_right_per_min']:6.2f}"
        f" | {o['false_yields_per_min']:8.2f}/min"
    )


def _people(name: str, by: Figures) -> str:
    o, k, always = (by[x] for x in ("ours", "all-knowing", "ours: always"))
    return (
        f"{name:20} {o['on_target']:13.1%} {k['on_target']:8.1%} {ratio(by, 'ours'):6.1%}"
        f" | {o['wish_fulfilled']:15.1%} {k['wish_fulfilled']:8.1%} {ratio(by, 'ours', 'wish_fulfilled'):6.1%}"
        f" | {o['presses_per_wish']:14.2f} {o['against_insisting']:9d}"
        f" | {ratio(by, 'ours: always'):15.1%} {ratio(by, 'ours: always', 'wish_fulfilled'):9.1%}"
        f" {always['presses_per_wish']:7.2f} | {o['wishes']:6d}"
    )


def _slow(name: str, by: Figures) -> str:
    o, late = by["ours"], by["late"]
    return (
        f"{name:20} {o['on_target']:15.1%} {late['on_target']:6.1%} {ratio(by, 'ours', than='late'):6.1%}"
        f" {ratio(by, 'plain', than='late'):6.1%}"
        f" | {o['wish_fulfilled']:15.1%} {late['wish_fulfilled']:6.1%}"
        f" | {o['presses_per_wish']:14.2f} {o['against_insisting']:9d}"
        f" | {o['presses_per_min']:11.1f} {late['presses_per_min']:5.1f}"
        f" | {o['presses_while_right_per_min']:11.2f} | {o['false_yields_per_min']:8.2f}/min"
    )


def missed(data: Figures) -> Iterator[str]:
    """One line for each figure that is asked for and not reached; presses and times from the default preference."""
    alone, people, slow = data["alone"], data["with_people"], data["slow"]
    if alone:
        o, k, late = alone["ours"], alone["all-knowing"], alone["late"]
        yield from _least("time on target without people, of all-knowing", ratio(alone, "ours"), 0.96)
        for name in ALONE:
            if name in data["families"]:
                yield from _least(f"... {name}", ratio(data["families"][name], "ours"), 0.90)
        yield from _least("... with photographer: never", ratio(alone, "ours: never"), 0.975)
        yield from _most("presses, of all-knowing", o["presses_per_min"] / max(k["presses_per_min"], 1e-9), 1.4)
        yield from _most("presses a minute while right", o["presses_while_right_per_min"], 0.15)
        slower = o["acquire_p50_within_frame_s"] / max(late["acquire_p50_within_frame_s"], 1e-9)
        yield from _most("median time to acquire, of late", slower, 1.1)
    if people:
        fulfilled = ratio(people, "ours", "wish_fulfilled")
        yield from _least("outside of wishes, of all-knowing", ratio(people, "ours"), 0.80)
        yield from _least("wishes fulfilled, of those that nobody resists", fulfilled, 0.82)
        yield from _most("presses against a wish", people["ours"]["presses_per_wish"], 1.0)
        yield from _most("presses against who insisted twice", people["ours"]["against_insisting"], 0)
        always = ratio(people, "ours: always", "wish_fulfilled")
        yield from _least("wishes fulfilled with photographer: always", always, 0.95)
    if slow:
        for name in SLOW:
            if name in data["families"]:
                yield from _least(f"{name}, of late", ratio(data["families"][name], "ours", than="late"), 0.90)
        yield from _most("presses against who insisted twice, slow", slow["ours"]["against_insisting"], 0)
    if "update_ms" in data:
        yield from _most("median time of an update, ms", data["update_ms"]["median"], 0.3)


def _least(name: str, value: float, bound: float) -> Iterator[str]:
    if value < bound:
        yield f"{name}: {value:.3f}, at least {bound} is wanted"


def _most(name: str, value: float, bound: float) -> Iterator[str]:
    if value > bound:
        yield f"{name}: {value:.3f}, at most {bound} is wanted"


ROBUSTNESS_HEAD = (
    f"{'conditions':20} {'on target: ours':>15} {'knowing':>8} {'ratio':>6} {'worst':>6} {'of':18}"
    f" | {'acquire p50':>11} {'knowing':>7} | {'presses/min':>11} {'knowing':>7} | {'while right':>11}"
    f" | {'false yields/min':>16}"
)


def robustness_line(name: str, data: Figures) -> str:
    """One line of the table of conditions: all families, and the worst."""
    by = data["alone"]
    o, k = by["ours"], by["all-knowing"]
    ratios = {family: ratio(figures, "ours") for family, figures in data["families"].items()}
    worst = min(ratios, key=ratios.__getitem__)
    return (
        f"{name:20} {o['on_target']:15.1%} {k['on_target']:8.1%} {ratio(by, 'ours'):6.1%}"
        f" {ratios[worst]:6.1%} {worst:18}"
        f" | {o['acquire_p50_s']:9.2f} s {k['acquire_p50_s']:5.2f} s"
        f" | {o['presses_per_min']:11.1f} {k['presses_per_min']:7.1f} | {o['presses_while_right_per_min']:11.2f}"
        f" | {o['false_yields_per_min']:16.2f}"
    )
