"""Values as they are after travelling between nodes, whose messages hold single precision."""

from __future__ import annotations

import numpy as np

from face_af_common.types import Box


def single(value: float) -> float:
    """The nearest float32."""
    return float(np.float32(value))


def single_box(box: Box) -> Box:
    return Box(single(box.x), single(box.y), single(box.width), single(box.height))
