"""Plots of the bench: the figures of all families, the course of three scenarios, both mistakes over the preference."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from face_af_common.types import ActionKind

from .measure import Result, play
from .scenarios import make

_COLOURS = {"ours": "#1b7f4d", "plain": "#b9b9b9", "all-knowing": "#2b5fa8"}
_STATES = {
    "ON_TARGET": "#cfe9d8",
    "WAITING": "#f7d9a0",
    "STEERING": "#e8962e",
    "CONFIRMING": "#f3ecb8",
    "NO_TARGET": "#eeeeee",
    "YIELDING": "#d9c3ea",
    "GAVE_UP": "#e3a5a5",
    "IDLE": "#ffffff",
}
_SHOWN = (("crossings", 3), ("moves: any", 2), ("photographer", 5))
"""Scenarios and seeds (for tuning) of the course that the documentation shows."""
_MARKS = {ActionKind.LEFT: "<", ActionKind.RIGHT: ">", ActionKind.UP: "^", ActionKind.DOWN: "v"}


def families(data: dict[str, Any], path: Path) -> None:
    """Bars for every family: share of time on target, and presses a minute."""
    plt = _pyplot()
    names = [*data["families"], "ALL, alone", "ALL, with people"]
    rows = [*data["families"].values(), data["alone"], data["with_people"]]
    figure, axes = plt.subplots(1, 2, figsize=(10, 8), sharey=True)
    for k, policy in enumerate(_COLOURS):
        places = [i + 0.27 * (k - 1) for i in range(len(names))]
        axes[0].barh(places, [100 * r[policy]["on_target"] for r in rows], 0.25, color=_COLOURS[policy], label=policy)
        axes[1].barh(places, [r[policy]["presses_per_min"] for r in rows], 0.25, color=_COLOURS[policy])
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("time on target, % of the time that the camera sees it")
    axes[1].set_xlabel("presses a minute")
    axes[1].set_xscale("log")
    axes[0].legend(loc="lower left", fontsize=8)
    _save(plt, figure, path)


def preference(data: dict[str, Any], path: Path) -> None:
    """Wishes fulfilled over the time on target, without people and outside of wishes: up and right is better."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True)
    for axis, figure_name, title in (
        (axes[0], "alone", "time on target without people, % of all-knowing"),
        (axes[1], "outside", "time on target outside of wishes, % of all-knowing"),
    ):
        for rule, points in data["curves"].items():
            ours = rule == "ours"
            axis.plot(
                [100 * p[figure_name] for p in points],
                [100 * p["fulfilled"] for p in points],
                marker="o" if ours else "s",
                color=_COLOURS["ours"] if ours else None,
                linewidth=2.0 if ours else 0.8,
                label="ours, over photographer_weight" if ours else f"{rule}, over yield_s",
            )
        axis.set_xlabel(title)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("wishes fulfilled, % of those that nobody resists")
    axes[0].legend(fontsize=8)
    _save(plt, figure, path)


def timelines(path: Path) -> None:
    """Three scenarios: who has the focus, what the planner thinks, each press."""
    plt = _pyplot()
    figure, axes = plt.subplots(len(_SHOWN), 1, figsize=(10, 5.4), sharex=True)
    for axis, (name, seed) in zip(axes, _SHOWN, strict=True):
        scenario = make(name, seed)
        _timeline(axis, play(scenario, "ours", trace=True), play(scenario, "all-knowing", trace=True))
    axes[-1].set_xlabel("seconds")
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for state, colour in _STATES.items() if state != "IDLE"]
    names = [state.lower().replace("_", " ") for state in _STATES if state != "IDLE"]
    figure.legend(handles, names, ncol=len(names), loc="upper center", fontsize=8, frameon=False)
    _save(plt, figure, path, top=0.93)


def _timeline(axis: Any, ours: Result, knowing: Result) -> None:
    for y, result in ((2.0, ours), (1.0, knowing)):
        colour = _COLOURS[result.policy]
        course = [(-1 if not seen else int(selected == 0)) for selected, seen, _ in result.timeline]
        for value, start, length in _runs(course, result.fps):
            if value >= 0:
                axis.broken_barh([(start, length)], (y, 0.7), color=colour if value else "#d0342c")
        for frame, (_, _, press) in enumerate(result.timeline):
            if press:
                axis.plot(
                    frame / result.fps, y + 0.85, _MARKS.get(ActionKind(press), "o"), color="black", markersize=3.5
                )
    for state, start, length in _runs([text.split(":")[0] for text in ours.states], ours.fps):
        axis.broken_barh([(start, length)], (3.05, 0.7), color=_STATES[state])
    for start, end in ours.wish_times:
        axis.axvspan(start, end, color="#6a2fa0", alpha=0.18, linewidth=0)
    axis.set_yticks([1.35, 2.35, 3.4], ["all-knowing", "ours", "it thinks"])
    axis.set_title(ours.scenario, fontsize=9, loc="left")
    axis.set_ylim(0.9, 3.9)
    axis.set_xlim(0, 30)


def _runs(values: list[Any], fps: float) -> list[tuple[Any, float, float]]:
    """Equal neighbours together: value, start and length in seconds."""
    runs, frame = [], 0
    for value, group in groupby(values):
        length = len(list(group))
        runs.append((value, frame / fps, length / fps))
        frame += length
    return runs


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(plt: Any, figure: Any, path: Path, top: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout(rect=(0, 0, 1, top))
    figure.savefig(path, dpi=100)
    plt.close(figure)
