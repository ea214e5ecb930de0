"""Embeddings of faces that have not moved since the last frame: most faces need not be embedded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from .engine import FoundFace

Row = NDArray[np.float32]

_SAME_PLACE = 0.5
"""Overlap (intersection over union) from which on a face is where one was in the frame before."""
_AGAIN_S = 0.5
"""So long an embedding holds: somebody may have stepped into a face's place."""
_CLEARER = 0.1
"""A face whose quality has risen by this is embedded again: a profile that turns to the camera is somebody at last."""


@dataclass(frozen=True)
class _Known:
    box: Box
    row: Row
    time: float
    """Of the embedding."""
    quality: float
    """Of the face when it was embedded."""


class FaceMemory:
    """What is known of the faces of the last frame."""

    def __init__(self) -> None:
        self._known: list[_Known] = []
        self._recalled: list[_Known | None] = []

    def clear(self) -> None:
        self._known = []

    def recall(self, found: Sequence[FoundFace], time: float) -> list[Row | None]:
        """Each face's embedding, None where it must be made; ``time``: seconds of the video."""
        self._recalled = [self._of(face, time) for face in found]
        return [None if known is None else known.row for known in self._recalled]

    def keep(self, found: Sequence[FoundFace], rows: NDArray[np.float32], fresh: Sequence[int], time: float) -> None:
        """Notes the faces that were last recalled, with their ``rows`` (F x D); ``fresh``: indices of new ones."""
        self._known = [
            _Known(face.box, row, time, face.quality)
            if known is None or i in fresh
            else _Known(face.box, known.row, known.time, known.quality)
            for i, (face, row, known) in enumerate(zip(found, rows, self._recalled, strict=True))
        ]

    def _of(self, face: FoundFace, time: float) -> _Known | None:
        known = max(self._known, key=lambda k: k.box.iou(face.box), default=None)
        if known is None or known.box.iou(face.box) < _SAME_PLACE:
            return None
        if time - known.time >= _AGAIN_S or face.quality > known.quality + _CLEARER:
            return None
        return known
