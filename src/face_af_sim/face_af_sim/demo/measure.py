"""The demo's figures from what was seen frame by frame, compared with what the stage really showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from face_af_common.types import Box, SteeringStatus


@dataclass(frozen=True)
class Truth:
    """What the stage showed in one frame: people's names, faces, who is visible to the camera, who has its focus."""

    target: str
    names: Sequence[str]
    boxes: Sequence[Box]
    visible: Sequence[bool]
    focus: str
    target_visible: bool
    target_focused: bool


@dataclass(frozen=True)
class FrameResult:
    """One frame: ``time`` in seconds since the first, latency from its stamp to the decision."""

    time: float
    truth: Truth
    state: SteeringStatus
    presses: int
    latency_ms: float
    named: bool
    """The target was visible, and its face carried its name."""
    wrong: int
    """Faces that carried a name that is not theirs."""


@dataclass
class Measure:
    """Collects :class:`FrameResult` and sums them up."""

    frames: list[FrameResult] = field(default_factory=list)

    def add(self, frame: FrameResult) -> None:
        self.frames.append(frame)

    @property
    def on_target(self) -> float:
        """Share of the frames with a visible target in which it had the focus; 0 without any."""
        visible = [f for f in self.frames if f.truth.target_visible]
        return sum(f.truth.target_focused for f in visible) / len(visible) if visible else 0.0

    def acquisitions(self) -> Iterator[tuple[float, float]]:
        """Start and end, in seconds, of each stretch from a visible target without the focus to having it."""
        start: float | None = None
        for frame in self.frames:
            if not frame.truth.target_visible:
                start = None
            elif frame.truth.target_focused:
                if start is not None:
                    yield start, frame.time
                start = None
            elif start is None:
                start = frame.time

    def report(self, wall_s: float) -> dict[str, float | int | str]:
        """The figures of ``report.json``; ``wall_s`` is the time that the frames took."""
        visible = [f for f in self.frames if f.truth.target_visible]
        latencies = sorted(f.latency_ms for f in self.frames)
        acquired = sorted(end - start for start, end in self.acquisitions())
        presses = self.frames[-1].presses if self.frames else 0
        minutes = (self.frames[-1].time - self.frames[0].time) / 60 if len(self.frames) > 1 else 0.0
        return {
            "target": self.frames[0].truth.target if self.frames else "",
            "frames": len(self.frames),
            "fps": round(len(self.frames) / wall_s, 2) if wall_s > 0 else 0.0,
            "on_target": round(self.on_target, 4),
            "target_visible": round(len(visible) / len(self.frames), 4) if self.frames else 0.0,
            "acquisitions": len(acquired),
            "acquire_p50_s": round(median(acquired), 3) if acquired else 0.0,
            "acquire_max_s": round(acquired[-1], 3) if acquired else 0.0,
            "presses": presses,
            "presses_per_minute": round(presses / minutes, 1) if minutes else 0.0,
            "latency_p50_ms": round(_quantile(latencies, 0.50), 1),
            "latency_p95_ms": round(_quantile(latencies, 0.95), 1),
            "recognised": round(sum(f.named for f in visible) / len(visible), 4) if visible else 0.0,
            "wrong_identity": sum(f.wrong for f in self.frames),
        }


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
