"""Where to cut: the crop of one person in one frame, in the best of several shapes. Pure geometry, pixels.

After PersonCapture: the person's box is widened to each ratio; what is added counts, and three times as much do too
little room beside the face, too much above it, and too little below. Here the crop is exact in whole pixels, lies
inside the frame, and never cuts the face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from face_af_common.types import Box

from .settings import CropSettings, ratio


@dataclass(frozen=True)
class Crop:
    """``x, y, width, height`` in whole pixels of the frame; ``width / height`` equals ``ratio`` exactly.

    ``cost`` is what the ratios were compared by: growth of area + weighted penalty.
    """

    x: int
    y: int
    width: int
    height: int
    ratio: str
    cost: float

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.width, self.height)


@dataclass(frozen=True)
class Refused:
    """A ratio that cannot be had for this face in this frame, and why (one word or two)."""

    ratio: str
    why: str


def best_crop(
    person: Box, face: Box, frame_width: int, frame_height: int, settings: CropSettings
) -> tuple[Crop | None, list[Refused]]:
    """The cheapest crop of ``settings.ratios`` and what was refused; None where every ratio was."""
    crops: list[Crop] = []
    refused: list[Refused] = []
    for text in settings.ratios:
        made = _fit(text, person, face, frame_width, frame_height, settings)
        if isinstance(made, Crop):
            crops.append(made)
        else:
            refused.append(made)
    return min(crops, key=lambda crop: crop.cost, default=None), refused


def _fit(text: str, person: Box, face: Box, width: int, height: int, s: CropSettings) -> Crop | Refused:
    across, down = ratio(text)
    padded = _within(face.grown(s.face_det_pad), width, height)
    if padded.width < 1 or padded.height < 1:
        return Refused(text, "face outside the frame")
    # sizes are multiples of the ratio: k x across wide, k x down high
    largest = min(width // across, height // down)
    if s.face_min_frac_in_crop > 0:
        largest = min(largest, math.floor(face.height / s.face_min_frac_in_crop / down))
    smallest = math.ceil(
        max(
            # one pixel more: the edges of the face lie between pixels
            (padded.width + 2) / across,
            (padded.height + 2) / down,
            face.height / s.face_max_frac_in_crop / down,
            s.crop_min_height_frac * height / down,
        )
    )
    if smallest > largest:
        return Refused(text, "face too large or too small for this shape")
    wanted = math.ceil(max(person.width / across, person.height / down))
    k = min(max(wanted, smallest, 1), largest)
    crop_width, crop_height = k * across, k * down
    x = _place(_middle(person, face), crop_width, padded.x, padded.right, width)
    centre = face.center[1] + s.face_anchor_down_frac * face.height
    y = _place(centre, crop_height, padded.y, padded.bottom, height)
    cost = crop_width * crop_height / max(1.0, person.area) - 1
    cost = max(0.0, cost) + s.crop_penalty_weight * penalty(Box(x, y, crop_width, crop_height), face, s)
    return Crop(x, y, crop_width, crop_height, text, cost)


def penalty(crop: Box, face: Box, s: CropSettings) -> float:
    """PersonCapture's penalty, 0 for a crop that frames the face well.

    ``max(0, m fw - side)/fw + max(0, top/ch - h) + max(0, b fh - bottom)/fh`` with the smaller side margin, the room
    above (``top``) and below (``bottom``) the face, the face's ``fw x fh`` and the crop's height ``ch``.
    """
    side = min(face.x - crop.x, crop.right - face.right)
    top, bottom = face.y - crop.y, crop.bottom - face.bottom
    return (
        max(0.0, s.crop_face_side_margin_frac * face.width - side) / max(1.0, face.width)
        + max(0.0, top / crop.height - s.crop_top_headroom_max_frac)
        + max(0.0, s.crop_bottom_min_face_heights * face.height - bottom) / max(1.0, face.height)
    )


def _middle(person: Box, face: Box) -> float:
    """Between the person's middle and the face's: arms to one side must not push the face to the edge."""
    return (person.center[0] + face.center[0]) / 2


def _place(centre: float, length: int, low: float, high: float, limit: int) -> int:
    """Start of ``length`` pixels around ``centre`` that contains ``low`` to ``high`` and lies in 0 to ``limit``."""
    start = min(max(centre - length / 2, high - length), low)
    whole = math.floor(start)
    if whole + length < high:
        whole = math.ceil(high - length)
    return min(max(0, whole), limit - length)


def _within(box: Box, width: int, height: int) -> Box:
    left, top = max(0.0, box.x), max(0.0, box.y)
    return Box(left, top, max(0.0, min(width, box.right) - left), max(0.0, min(height, box.bottom) - top))


def estimated_person(face: Box, width: int, height: int) -> Box:
    """A standing person's box from the face alone: three faces wide, seven and a half high, cut by the frame.

    The proportions are the artist's rule of seven and a half heads.
    """
    centre = face.center[0]
    return _within(
        Box(centre - 1.5 * face.width, face.y - 0.25 * face.height, 3 * face.width, 7.5 * face.height), width, height
    )


def estimated_head(person: Box) -> Box:
    """Where the head of a standing person is: the upper middle, by the rule of seven and a half heads."""
    height = person.height / 7.5
    return Box(person.center[0] - 0.4 * height, person.y, 0.8 * height, height)


def person_of(face: Box, persons: Sequence[Box]) -> Box | None:
    """The smallest of ``persons`` that has ``face`` in its upper half and across its width; None where none has."""
    x, y = face.center
    fitting = [p for p in persons if p.contains(x, y) and y <= p.y + 0.5 * p.height and p.height > face.height]
    return min(fitting, key=lambda p: p.area, default=None)
