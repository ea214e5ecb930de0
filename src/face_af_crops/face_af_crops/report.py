"""What came of a run: spans, sightings and crops of every video."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from face_af_common.params import values

from .bank import Bank
from .output import OutputFolder
from .settings import CropSettings
from .spans import Sighting, Span, total


@dataclass
class VideoReport:
    """One video's share of the report."""

    video: str
    duration: float
    spans: dict[str, list[Span]]
    sightings: dict[str, list[Sighting]]
    crops: dict[str, list[float]]
    dropped: int = 0
    note: str = ""


def nearest(report: VideoReport, person: str) -> Sighting | None:
    """The pre-scan's best sighting of ``person`` in a video; None where there was no face at all."""
    seen = [s for s in report.sightings[person] if s.distance < float("inf")]
    return min(seen, key=lambda s: s.distance, default=None)


def write_report(bank: Bank, settings: CropSettings, reports: Sequence[VideoReport], output: OutputFolder) -> None:
    """Writes ``report.json``, which says that the run is complete. Raises CropError."""
    videos = []
    for report in reports:
        best = {person: nearest(report, person) for person in report.spans}
        videos.append(
            {
                "video": report.video,
                "duration": round(report.duration, 3),
                "note": report.note,
                "spans": {
                    p: [[round(s.start, 3), round(s.end, 3)] for s in spans] for p, spans in report.spans.items()
                },
                "seconds_in_spans": {p: round(total(spans), 3) for p, spans in report.spans.items()},
                "nearest": {
                    p: None if s is None else [round(s.time, 3), round(s.distance, 4)] for p, s in best.items()
                },
                "crops": {p: len(times) for p, times in report.crops.items()},
                "dropped": report.dropped,
            }
        )
    data = {
        "format": 1,
        "people": bank.people,
        "bank": [asdict(a) for a in bank.additions],
        "settings": values(settings),
        "videos": videos,
    }
    output.save("report.json", (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
