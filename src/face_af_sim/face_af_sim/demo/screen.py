"""What ``./run demo`` shows in the terminal: one live line, and a summary at the end."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from .measure import Measure
from .monitor import Now

_PERIOD_S = 0.25


class Screen:
    """Rewrites one line on a terminal; on a pipe it prints a line every ten seconds instead."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._next = 0.0

    def live(self, measure: Measure, now: Now, duration: float) -> None:
        clock = time.monotonic()
        if clock < self._next:
            return
        self._next = clock + (_PERIOD_S if self._terminal else 10.0)
        if measure.frames:
            line = _line(measure, now, duration)
        else:
            line = "waiting for the first frame ..."
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{line[:width]}", end="", flush=True)
        else:
            print(line, flush=True)

    def say(self, text: str) -> None:
        print(("\r\x1b[K" if self._terminal else "") + text, flush=True)


def _line(measure: Measure, now: Now, duration: float) -> str:
    last = measure.frames[-1]
    target = (
        f"{last.truth.target} {now.similarity:.2f}" if now.similarity is not None else f"{last.truth.target} not seen"
    )
    focus = now.focus or "nobody"
    return "  ".join(
        [
            f"{last.time:5.1f}/{duration:.0f} s",
            f"{now.fps:4.1f} fps",
            f"target: {target}",
            f"focus: {focus}{' *' if last.truth.target_focused else ''}",
            f"{last.state.name.lower().replace('_', ' ')}",
            f"{last.presses} presses",
            f"{last.latency_ms:.0f} ms",
            f"on target {measure.on_target:.0%}",
            "" if now.connected else "camera not connected",
        ]
    ).rstrip()


def summary(report: Mapping[str, float | int | str], folder: Path, video: bool) -> str:
    """The lines below the live line, from ``report.json``'s content."""
    files = ["report.json", "timeline.png"] + (["demo.mp4"] if video else [])
    return "\n".join(
        [
            "",
            f"  focus on the target   {float(report['on_target']):7.1%} of the time it was visible",
            f"  time to acquire       {float(report['acquire_p50_s']):7.2f} s (median of {report['acquisitions']})",
            f"  presses               {report['presses']:7} ({report['presses_per_minute']} a minute)",
            f"  target recognised     {float(report['recognised']):7.1%} of its visible frames",
            f"  wrong names           {report['wrong_identity']:7}",
            f"  frames                {report['frames']:7} ({report['fps']} a second)",
            f"  latency               {report['latency_p50_ms']:>7} ms (p95 {report['latency_p95_ms']} ms)",
            "",
            f"  {folder}/: {', '.join(files)}",
        ]
    )
