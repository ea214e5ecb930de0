"""Which candidates are kept: those too near in time and place to the last, or too alike to any, are dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from face_af_common.types import Box

from .bank import Rows
from .candidates import Candidate
from .settings import CropSettings


class Duplicates:
    """Sees candidates in order and remembers those that were kept, per person."""

    def __init__(self, settings: CropSettings) -> None:
        self._settings = settings
        self._kept: dict[str, list[tuple[str, Candidate]]] = {}
        self._rows: dict[str, Rows] = {}

    def refusal(self, video: str, candidate: Candidate) -> str:
        """Why ``candidate`` is dropped; empty where it is kept, which is then remembered."""
        s = self._settings
        kept = self._kept.setdefault(candidate.person, [])
        if kept:
            name, last = kept[-1]
            near = name == video and abs(candidate.time - last.time) < s.min_gap_sec and s.only_best
            if near and _box(candidate).iou(_box(last)) > s.iou_gate:
                return "too soon after the last"
            twin = self._twin(candidate, kept)
            if twin is not None:
                return f"near-duplicate of frame {twin.frame}"
        row = candidate.embedding[None] / max(1e-9, float(np.linalg.norm(candidate.embedding)))
        rows = self._rows.get(candidate.person)
        self._rows[candidate.person] = row if rows is None else np.concatenate([rows, row])
        kept.append((video, candidate))
        return ""

    def _twin(self, candidate: Candidate, kept: Sequence[tuple[str, Candidate]]) -> Candidate | None:
        row = candidate.embedding / max(1e-9, float(np.linalg.norm(candidate.embedding)))
        # where no face is visible only the images are compared
        bar = self._settings.duplicate_cosine if candidate.distance >= 0 else -1.0
        alike = np.flatnonzero(self._rows[candidate.person] @ row >= bar)
        for i in alike.tolist():
            other = kept[i][1]
            if (candidate.hash ^ other.hash).bit_count() <= self._settings.duplicate_bits:
                return other
        return None


def _box(candidate: Candidate) -> Box:
    return Box(*map(float, candidate.box))
