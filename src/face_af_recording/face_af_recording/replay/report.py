"""The report of a replay: nothing in it depends on the machine's speed, so equal replays write equal files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from face_af_common.files import write_text

from .frames import Frame, digest, line
from .score import score


def make_report(
    frames: Sequence[Frame],
    source: Path,
    recomputed: Sequence[str],
    parameters: Mapping[str, Mapping[str, Any]],
    recorded: Sequence[Frame] = (),
) -> dict[str, Any]:
    """Figures of ``frames``, those of the recording beside them, and the checksum of every result."""
    return {
        "source": source.name,
        "recomputed": list(recomputed),
        "parameters": {node: dict(values) for node, values in parameters.items() if node in recomputed},
        "results_sha256": digest(frames),
        "score": score(frames),
        "recorded_score": score(recorded) if any(frame.faces is not None for frame in recorded) else None,
    }


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(report, indent=2, sort_keys=True, default=list) + "\n")


def write_results(path: Path, frames: Sequence[Frame]) -> None:
    """One line of JSON a frame."""
    write_text(path, "".join(line(frame) + "\n" for frame in frames))


def table(report: Mapping[str, Any]) -> str:
    """The report's figures for the terminal, the recorded ones beside them."""
    new, old = report["score"], report["recorded_score"] or {}
    rows = [f"{'':24}{'replayed':>12}{'recorded':>12}"]
    rows += [f"{name:24}{_cell(value):>12}{_cell(old.get(name)):>12}" for name, value in new.items()]
    return "\n".join([*rows, f"results {report['results_sha256'][:16]}"])


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
