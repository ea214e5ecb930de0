from __future__ import annotations

import numpy as np
import pytest

from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError
from face_af_perception.detectors import CenterFace, PictureError, Scrfd
from face_af_perception.detectors.base import rounded, suppress

SCRFD = ModelSpec("s", "detector", "scrfd", "s.onnx", mean=127.5, std=128.0, score=0.5, nms=0.4)
CENTERFACE = ModelSpec("c", "detector", "centerface", "c.onnx", score=0.35, nms=0.3)


class Script:
    """A network that gives what it is told."""

    name, precision = "script", "fp32"
    any_size = False

    def __init__(self, outputs: list[np.ndarray], height: int | None = None, width: int | None = None) -> None:
        self.outputs = outputs
        self.input_shape = (1, 3, height, width)
        self.output_names = tuple(f"o{i}" for i in range(len(outputs)))
        self.seen: list[np.ndarray] = []

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.seen.append(batch.copy())
        return self.outputs

    def close(self) -> None: ...


def scrfd_outputs(width: int, height: int, batch: bool) -> list[np.ndarray]:
    outputs = [
        np.zeros(((width // s) * (height // s) * 2, size), np.float32) for size in (1, 4, 10) for s in (8, 16, 32)
    ]
    return [o[None] for o in outputs] if batch else outputs


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("level", "stride"), [(0, 8), (1, 16), (2, 32)])
def test_scrfd_boxes_have_no_half_stride_shift(batch: bool, level: int, stride: int) -> None:
    outputs = scrfd_outputs(640, 384, batch)
    row, column = 3, 5
    index = (row * (640 // stride) + column) * 2 + 1
    outputs[level].reshape(-1)[index] = 0.9
    outputs[level + 3].reshape(-1, 4)[index] = (1, 2, 3, 4)
    outputs[level + 6].reshape(-1, 10)[index] = np.arange(10) / 10
    (face,) = Scrfd(SCRFD, Script(outputs), (640, 384)).detect(np.zeros((1080, 1920, 3), np.uint8))
    x, y, s = column * stride * 3, row * stride * 3, stride * 3
    assert (face.box.x, face.box.y, face.box.right, face.box.bottom) == pytest.approx(
        (x - s, y - 2 * s, x + 3 * s, y + 4 * s)
    )
    assert np.allclose(face.landmarks, np.array([x, y]) + np.arange(10).reshape(5, 2) / 10 * s, atol=1e-3)
    assert face.score == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("picture", "size", "shape"),
    [
        ((1080, 1920), (640, 384), (352, 640)),  # flattened by 2 %
        ((1080, 1920), (960, 544), (544, 960)),
        ((1200, 1600), (640, 384), (384, 512)),
        ((1000, 300), (640, 384), (384, 128)),
        ((20, 20), (640, 384), (384, 384)),
        ((500, 10), (64, 64), (64, 32)),
    ],
)
def test_a_free_input_has_as_little_padding_as_the_picture_allows(
    picture: tuple[int, int], size: tuple[int, int], shape: tuple[int, int]
) -> None:
    height, width = shape
    outputs = scrfd_outputs(width, height, False)
    outputs[0][0] = 0.9
    outputs[3][0] = (0, 0, width / 16, height / 16)  # in strides of 8
    runner = Script(outputs)
    runner.any_size = True
    (face,) = Scrfd(SCRFD, runner, size).detect(np.zeros((*picture, 3), np.uint8))
    assert runner.seen[0].shape == (1, 3, *shape)
    if size[0] == 640 and picture == (1080, 1920):
        assert (face.box.right, face.box.bottom) == pytest.approx((960, 540), abs=1e-3)


def test_scrfd_keeps_the_better_of_two_that_overlap() -> None:
    outputs = scrfd_outputs(640, 384, True)
    for anchor, score in ((0, 0.8), (1, 0.7)):
        outputs[0][0, anchor] = score
        outputs[3][0, anchor] = (0, 0, 5, 5)
    outputs[0][0, 400] = 0.6
    outputs[3][0, 400] = (1, 1, 4, 4)
    faces = Scrfd(SCRFD, Script(outputs), (640, 384)).detect(np.zeros((384, 640, 3), np.uint8))
    assert [round(f.score, 1) for f in faces] == [0.8, 0.6]


def test_centerface_decodes_y_before_x() -> None:
    heat, scale, offset, points = (np.zeros((1, n, 96, 160), np.float32) for n in (1, 2, 2, 10))
    heat[0, 0, 10, 20] = 0.9
    scale[0, :, 10, 20] = np.log([20, 10])  # height 80, width 40
    offset[0, :, 10, 20] = (0.25, 0.5)  # y, x
    points[0, :, 10, 20] = [0.4, 0.3, 0.4, 0.7, 0.6, 0.5, 0.8, 0.35, 0.8, 0.65]
    detector = CenterFace(CENTERFACE, Script([heat, scale, offset, points]), (640, 384))
    (face,) = detector.detect(np.zeros((384, 640, 3), np.uint8))
    left, top = 21 * 4 - 20, 10.75 * 4 - 40
    assert (face.box.x, face.box.y, face.box.width, face.box.height) == pytest.approx((left, top, 40, 80), abs=1e-3)
    assert np.allclose(face.landmarks[0], (left + 0.3 * 40, top + 0.4 * 80))
    assert np.allclose(face.landmarks[4], (left + 0.65 * 40, top + 0.8 * 80))


def test_the_network_sees_rgb_normalised_padded_right_and_below() -> None:
    script = Script(scrfd_outputs(640, 384, True))
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[:] = (10, 20, 250)  # blue, green, red
    Scrfd(SCRFD, script, (640, 384)).detect(picture)
    seen = script.seen[0]
    assert seen.shape == (1, 3, 384, 640) and seen.dtype == np.float32 and seen.flags.c_contiguous
    assert np.allclose(seen[0, :, 100, 100], (np.array([250, 20, 10]) - 127.5) / 128)
    assert np.allclose(seen[0, :, 361:], -127.5 / 128)


def test_nothing_of_an_earlier_picture_is_left_in_the_margin() -> None:
    script = Script(scrfd_outputs(640, 384, True))
    detector = Scrfd(SCRFD, script, (640, 384))
    detector.detect(np.full((384, 640, 3), 255, np.uint8))
    detector.detect(np.full((640, 384, 3), 255, np.uint8))
    assert np.allclose(script.seen[1][0, :, :, 231:], -127.5 / 128)


@pytest.mark.parametrize("shape", [(0, 0, 3), (10, 0, 3), (10, 10), (10, 10, 4)])
def test_a_picture_without_pixels_or_colours_is_refused(shape: tuple[int, ...]) -> None:
    detector = Scrfd(SCRFD, Script(scrfd_outputs(640, 384, True)), (640, 384))
    with pytest.raises(PictureError):
        detector.detect(np.zeros(shape, np.uint8))
    with pytest.raises(PictureError):
        detector.detect(np.zeros((10, 10, 3), np.float32))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 20_000, 3), (20_000, 3, 3), (7, 5, 3)])
@pytest.mark.parametrize("value", [0, 255])
def test_odd_pictures_have_no_faces(shape: tuple[int, ...], value: int) -> None:
    detector = Scrfd(SCRFD, Script(scrfd_outputs(640, 384, True)), (640, 384))
    assert detector.detect(np.full(shape, value, np.uint8)) == []


def test_a_model_with_other_outputs_is_refused() -> None:
    with pytest.raises(ModelError, match="9 outputs"):
        Scrfd(SCRFD, Script(scrfd_outputs(640, 384, True)[:6]), (640, 384))
    with pytest.raises(ModelError, match="4 outputs"):
        CenterFace(CENTERFACE, Script([np.zeros((1, 1, 8, 8), np.float32)] * 3), (640, 384))
    wrong = Scrfd(SCRFD, Script([np.zeros((5, 5), np.float32)] * 9), (640, 384))
    with pytest.raises(ModelError, match="stride 8"):
        wrong.detect(np.zeros((384, 640, 3), np.uint8))


def test_wild_numbers_from_the_network_are_no_faces() -> None:
    outputs = scrfd_outputs(640, 384, True)
    outputs[0][:] = 0.9
    for output in outputs[3:]:
        output[:] = np.nan
    assert Scrfd(SCRFD, Script(outputs), (640, 384)).detect(np.zeros((384, 640, 3), np.uint8)) == []


def test_a_fixed_input_size_wins() -> None:
    detector = Scrfd(SCRFD, Script(scrfd_outputs(320, 320, True), 320, 320), (640, 384))
    assert detector.size == (320, 320)
    assert detector.detect(np.zeros((1080, 1920, 3), np.uint8), (640, 640)) == []


def test_sizes_are_multiples_of_32() -> None:
    assert rounded((640, 360)) == (640, 384) and rounded((1, 33)) == (32, 64)


def test_suppression_keeps_order() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 0, 0]], np.float32)
    assert suppress(boxes, 0.4) == [0, 2, 3]
