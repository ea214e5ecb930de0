"""A frame's memory is written again only when nobody refers to it."""

from __future__ import annotations

import numpy as np

from face_af_common.buffers import unused


def test_a_buffer_is_free_when_its_last_view_is_gone() -> None:
    buffers = [np.zeros((4, 6, 3), np.uint8), np.ones((4, 6, 3), np.uint8)]
    read_only = buffers[0].view()
    cut_out = read_only[1:3, 2:4]
    del read_only
    taken = unused(buffers)
    assert taken is not None
    assert (taken == 1).all()
    assert unused(buffers) is None, "the slice still shows the other one"
    assert len(buffers) == 1
    del cut_out
    assert unused(buffers) is not None
    assert unused(buffers) is None
