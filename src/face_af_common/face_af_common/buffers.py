"""Memory of frames that is written again as soon as nobody refers to it. No ROS."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray


def unused(buffers: list[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Takes a buffer out of ``buffers`` that nobody refers to any more, not even by a slice; None = there is none.

    Of arrays that own their memory a view holds the array itself, so the count of its references tells.
    """
    for index in range(len(buffers)):
        if sys.getrefcount(buffers[index]) <= 2:  # the list's, and the one that is counted with
            return buffers.pop(index)
    return None
