"""The run at a glance: likeness over time, spans and crops of every video, as a PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .report import VideoReport
    from .settings import CropSettings

MAX_ROWS = 30


def draw_timeline(reports: Sequence[VideoReport], settings: CropSettings) -> bytes:
    """One row a video and person (the first 30): dots are the pre-scan's likeness, bands the spans, marks the crops."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [(report, person) for report in reports for person in report.spans][:MAX_ROWS]
    figure = Figure(figsize=(11, 1 + 1.9 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (report, person) in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        seen = [s for s in report.sightings[person] if s.distance < float("inf")]
        axes.scatter([s.time for s in seen], [1 - s.distance for s in seen], s=7, color="#555555")
        for span in report.spans[person]:
            axes.axvspan(span.start, span.end, color="#8fd18f", alpha=0.4, lw=0)
        axes.axhline(1 - settings.prescan_fd_enter, color="#999999", lw=0.8, ls="--")
        times = report.crops[person]
        axes.plot(times, [1.02] * len(times), "v", color="#1f5fbf", ms=5, clip_on=False)
        axes.set(xlim=(0, max(0.1, report.duration)), ylim=(-0.1, 1.05), ylabel="similarity")
        axes.set_title(f"{report.video}: {person}, {len(times)} crops", loc="left", fontsize=9)
    figure.axes[-1].set_xlabel("seconds   (dashed: where a span begins; green: spans; blue: crops)")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
