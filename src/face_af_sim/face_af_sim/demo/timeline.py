"""``timeline.png``: who had the focus, when the target was visible, what steering did, each press."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import replacing
from face_af_common.types import SteeringStatus

from .measure import FrameResult, Measure

_STATE_COLORS = {
    SteeringStatus.IDLE: "#bbbbbb",
    SteeringStatus.NO_TARGET: "#dddddd",
    SteeringStatus.CONFIRMING: "#f6c445",
    SteeringStatus.STEERING: "#f08c2e",
    SteeringStatus.WAITING: "#f3b27a",
    SteeringStatus.ON_TARGET: "#4aa564",
    SteeringStatus.YIELDING: "#5b8dd9",
    SteeringStatus.GAVE_UP: "#c94f4f",
}


def warm_up() -> None:
    """Imports what :func:`draw_timeline` needs, so that whoever presses Ctrl-C need not wait for it."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot


def draw_timeline(measure: Measure, path: Path, title: str) -> None:
    """Writes the image to ``path`` (PNG, 1600 pixels wide)."""
    warm_up()
    import matplotlib.pyplot as plt

    frames = measure.frames
    times = np.array([f.time for f in frames])
    people = sorted({name for f in frames for name in f.truth.names})
    target = frames[0].truth.target if frames else ""
    # the target on top
    people = [name for name in people if name != target] + ([target] if target in people else [])

    figure, (focus, state) = plt.subplots(
        2,
        1,
        figsize=(16, 1.9 + 0.42 * max(len(people), 3)),
        dpi=100,
        sharex=True,
        gridspec_kw={"height_ratios": [max(len(people), 3), 1]},
    )
    _draw_focus(focus, frames, times, people, target)
    focus.set_title(title, loc="left")
    _draw_states(state, frames, times)
    for axes in (focus, state):
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)
    if len(times):
        state.set_xlim(0, max(times[-1], 0.1))
    figure.tight_layout()
    with replacing(path) as part:
        figure.savefig(part, format="png")
    plt.close(figure)


def _draw_focus(
    focus: Any, frames: Sequence[FrameResult], times: np.ndarray, people: Sequence[str], target: str
) -> None:
    """A row for each person: when the target was visible, who had the focus, and the presses."""
    from matplotlib.patches import Patch

    for row, name in enumerate(people):
        for start, end in _spans(times, [_visible(f, name) for f in frames]):
            focus.barh(row, end - start, left=start, height=0.8, color="#e4eadf" if name == target else "#eeeeee")
        for start, end in _spans(times, [f.truth.focus == name for f in frames]):
            focus.barh(row, end - start, left=start, height=0.5, color="#4aa564" if name == target else "#d98c8c")
    presses = [b.time for a, b in pairwise(frames) if b.presses > a.presses]
    for number, time in enumerate(presses):
        focus.axvline(time, color="#333333", linewidth=0.8, label="press" if number == 0 else None)
    focus.set_yticks(range(len(people)), [f"{name} (target)" if name == target else name for name in people])
    legend = [
        Patch(color="#e4eadf", label="target visible to the camera"),
        Patch(color="#4aa564", label="focus on the target"),
        Patch(color="#d98c8c", label="focus on another person"),
        *focus.get_legend_handles_labels()[0],
    ]
    focus.legend(handles=legend, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncol=4, frameon=False, fontsize=9)


def _draw_states(state: Any, frames: Sequence[FrameResult], times: np.ndarray) -> None:
    """One row: what steering did."""
    from matplotlib.patches import Patch

    for kind, color in _STATE_COLORS.items():
        for start, end in _spans(times, [f.state == kind for f in frames]):
            state.barh(0, end - start, left=start, height=0.8, color=color)
    seen = [kind for kind in _STATE_COLORS if any(f.state == kind for f in frames)]
    state.legend(
        handles=[Patch(color=_STATE_COLORS[k], label=k.name.lower().replace("_", " ")) for k in seen],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.7),
        ncol=max(len(seen), 1),  # ncols needs Matplotlib 3.6
        frameon=False,
        fontsize=9,
    )
    state.set_yticks([0], ["steering"])
    state.set_xlabel("seconds")


def _visible(frame: FrameResult, name: str) -> bool:
    if name not in frame.truth.names:
        return False
    return frame.truth.visible[list(frame.truth.names).index(name)]


def _spans(times: np.ndarray, flags: Sequence[bool]) -> list[tuple[float, float]]:
    """The stretches of time in which ``flags`` holds; a frame lasts until the next one."""
    spans: list[tuple[float, float]] = []
    start: float | None = None
    for time, flag in zip(times, flags, strict=True):
        if flag and start is None:
            start = float(time)
        elif not flag and start is not None:
            spans.append((start, float(time)))
            start = None
    if start is not None and len(times):
        spans.append((start, float(times[-1])))
    return spans
