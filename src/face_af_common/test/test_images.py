from __future__ import annotations

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from face_af_common.images import ImageError, blank, from_bgr, to_bgr


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_there_and_back_without_a_second_copy() -> None:
    shown = picture()
    message = from_bgr(shown, Header(frame_id="hdmi"))
    back = to_bgr(message)
    assert np.array_equal(back, shown)
    assert back.base is not None
    assert message.header.frame_id == "hdmi"


def test_a_blank_picture_is_not_copied_at_all() -> None:
    drawn = blank(64, 48)
    drawn[:] = picture()
    message = from_bgr(drawn, Header())
    assert np.shares_memory(to_bgr(message), drawn)
    assert np.array_equal(to_bgr(message), picture())
    for part in (drawn[:, :32], drawn[::-1], drawn[1:]):
        copied = to_bgr(from_bgr(part, Header()))
        assert np.array_equal(copied, part) and not np.shares_memory(copied, drawn)


def test_padded_rows_are_understood() -> None:
    shown = picture(4, 5)
    message = from_bgr(shown, Header())
    rows = np.zeros((4, 20), np.uint8)
    rows[:, :15] = shown.reshape(4, 15)
    message.step = 20
    message.data = rows.tobytes()
    assert np.array_equal(to_bgr(message), shown)


def test_other_encodings_are_converted() -> None:
    shown = picture()
    message = from_bgr(np.ascontiguousarray(shown[:, :, ::-1]), Header())
    message.encoding = "rgb8"
    assert np.array_equal(to_bgr(message), shown)


@pytest.mark.parametrize(
    "message",
    [
        Image(),
        Image(width=4, height=4, step=12, encoding="bgr8", data=b"123"),
        Image(width=2, height=1, step=6, encoding="klingon", data=b"123456"),
    ],
)
def test_a_broken_message_is_one_kind_of_error(message: Image) -> None:
    with pytest.raises(ImageError):
        to_bgr(message)


def test_only_bgr_pictures_are_sent() -> None:
    with pytest.raises(ImageError):
        from_bgr(np.zeros((4, 4), np.uint8), Header())
    with pytest.raises(ImageError):
        from_bgr(np.zeros((4, 4, 3), np.float32), Header())
