"""Whether faces carry the right names, against what is really in the image."""

from __future__ import annotations

from collections.abc import Sequence

from face_af_common.types import Box, Face

SAME_FACE_IOU = 0.3
"""A detected face and a true one are the same from here on."""


def judge_names(people: Sequence[tuple[str, Box]], target: str, faces: Sequence[Face]) -> tuple[bool, int]:
    """Whether the target's face carries its name, and how many faces carry a name that is not theirs.

    ``people``: the names and faces that are really there. Where two of them are one behind the other, either name
    is right.
    """
    named, wrong = False, 0
    for face in faces:
        here = {name for name, box in people if face.box.iou(box) >= SAME_FACE_IOU}
        if face.identity and here:
            named = named or face.identity == target in here
            wrong += face.identity not in here
    return named, wrong


def found(box: Box, faces: Sequence[Face]) -> bool:
    """Whether one of ``faces`` is the true face ``box``."""
    return any(face.box.iou(box) >= SAME_FACE_IOU for face in faces)
