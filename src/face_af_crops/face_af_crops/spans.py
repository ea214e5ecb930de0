"""Which parts of a video are worth a closer look: spans of time from sightings, by thresholds with hysteresis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .settings import CropSettings


@dataclass(frozen=True)
class Sighting:
    """The pre-scan's distance at one moment: of the nearest face to the person, ``inf`` where there was none."""

    time: float
    distance: float


@dataclass(frozen=True)
class Span:
    """``start`` to ``end`` in seconds of the video."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start


def find_spans(sightings: Sequence[Sighting], duration: float, settings: CropSettings) -> list[Span]:
    """The spans with the person, padded, bridged, and none shorter than the minimum. Times in 0 to ``duration``.

    A span ends at a sighting that is farther than ``prescan_fd_exit``, or where nothing nearer than that was seen for
    ``prescan_exit_sec``, but never before the next sample: a threshold that the stride cannot see would be none.
    """
    padded = [
        Span(max(0.0, span.start - settings.prescan_pad_sec), min(duration, span.end + settings.prescan_pad_sec))
        for span in _raw_spans(sightings, duration, settings)
    ]
    return [span for span in _bridged(padded, settings) if span.length >= settings.prescan_min_segment_sec]


def _raw_spans(sightings: Sequence[Sighting], duration: float, settings: CropSettings) -> list[Span]:
    spans: list[Span] = []
    start: float | None = None
    last = 0.0
    for sighting in sightings:
        if start is None:
            if sighting.distance <= settings.prescan_fd_enter:
                start = last = sighting.time
        elif sighting.distance < settings.prescan_fd_exit:
            last = sighting.time
        elif sighting.time - last >= settings.prescan_exit_sec:
            spans.append(Span(start, last))
            start = None
    if start is not None:
        spans.append(Span(start, min(duration, max(last, sightings[-1].time))))
    return spans


def _bridged(spans: Sequence[Span], settings: CropSettings) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start - joined[-1].end <= settings.prescan_bridge_gap_sec:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def total(spans: Sequence[Span]) -> float:
    """Seconds in all spans."""
    return sum(span.length for span in spans)
