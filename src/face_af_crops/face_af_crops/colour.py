"""From a decoded frame to an upright BGR image: matrix, range, rotation and pixel shape as the file says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

HD_HEIGHT = 720
"""Untagged video of at least this height is taken for BT.709, smaller one for BT.601: what players do."""

_BT709, _BT601 = 1, 5
_MATRICES = {1: _BT709, 4: _BT601, 5: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}
"""FFmpeg's ``AVColorSpace`` -> swscale's ``SWS_CS_*``: 709, FCC, 601 (two), SMPTE 240M, BT.2020 (two)."""
_HDR = {16: "PQ", 18: "HLG"}
"""``AVColorTransferCharacteristic`` of SMPTE 2084 and of ARIB STD-B67 (BT.2100)."""


@dataclass(frozen=True)
class Upright:
    """Size of the upright image with square pixels, and how a raw frame gets there."""

    width: int
    height: int
    matrix: int
    full_range: bool
    quarter_turns: int
    """Counter-clockwise turns by 90 degrees that make the frame upright."""
    note: str = ""

    def bgr(self, raw: Any, max_width: int = 0) -> NDArray[np.uint8]:
        """H x W x 3 uint8 BGR of an ``av.VideoFrame``; reduced to ``max_width`` pixels where it is wider."""
        width, height = self.width, self.height
        if max_width and width > max_width:
            width, height = max_width, max(2, round(height * max_width / width))
        if self.quarter_turns % 2:
            width, height = height, width
        image = raw.reformat(
            width=width,
            height=height,
            format="bgr24",
            src_colorspace=self.matrix,
            src_color_range=2 if self.full_range else 1,
            dst_color_range=2,
            interpolation="AREA" if max_width else "BILINEAR",
        ).to_ndarray()
        return turned(image, self.quarter_turns)


def turned(image: NDArray[np.uint8], quarter_turns: int) -> NDArray[np.uint8]:
    """``image`` turned counter-clockwise by so many times 90 degrees."""
    turn = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}.get(quarter_turns % 4)
    return image if turn is None else np.asarray(cv2.rotate(image, turn), np.uint8)


def upright(raw: Any, stream: Any) -> Upright:
    """How frames like ``raw`` (the first one of ``stream``) become upright images."""
    width, height = raw.width, raw.height
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    shape = float(aspect) if aspect else 1.0
    if not 0.1 <= shape <= 10:
        shape = 1.0
    if shape >= 1:
        width = max(2, round(width * shape))
    else:
        height = max(2, round(height / shape))
    turns = round(float(getattr(raw, "rotation", 0) or 0) / 90) % 4
    if turns % 2:
        width, height = height, width
    matrix = _MATRICES.get(int(raw.colorspace), _BT709 if raw.height >= HD_HEIGHT else _BT601)
    full = int(raw.color_range) == 2 or raw.format.name.startswith("yuvj")
    transfer = _HDR.get(int(getattr(raw, "color_trc", 0) or 0))
    note = f"HDR video ({transfer}): colours are not tone-mapped, crops look flat" if transfer else ""
    return Upright(width, height, matrix, full, turns, note)
