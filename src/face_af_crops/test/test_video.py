from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from face_af_crops.video import VideoError, open_video

av = pytest.importorskip("av")


def make_video(
    path: Path, count: int = 40, size: tuple[int, int] = (128, 96), gop: int = 10, color: tuple[int, int] = (5, 1)
) -> Path:
    """Frame ``i`` has the brightness ``5 i`` and the colours of ``color`` (matrix, range)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4" if color == (5, 1) else "libx264", rate=20)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.gop_size = gop
        stream.codec_context.colorspace, stream.codec_context.color_range = color
        for i in range(count):
            image = np.full((size[1], size[0], 3), 5 * i % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=color[0], dst_color_range=color[1])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_any_stretch_has_the_same_frames_as_the_whole(tmp_path: Path) -> None:
    video = open_video(make_video(tmp_path / "v.mp4"))
    assert (video.count, video.width, video.height) == (40, 128, 96)
    whole = {frame.index: frame.image() for frame in video.frames()}
    assert sorted(whole) == list(range(40))
    for start, end in [(0, 5), (7, 23), (10, 11), (39, 40)]:
        part = {frame.index: frame.image() for frame in video.frames(start, end)}
        assert sorted(part) == list(range(start, end))
        assert all((part[i] == whole[i]).all() for i in part)
    assert abs(int(whole[20].mean()) - 100) < 6


def test_pieces_cover_everything_once_and_begin_at_key_frames(tmp_path: Path) -> None:
    video = open_video(make_video(tmp_path / "v.mp4"))
    pieces = video.pieces(3, 38, 0.7)
    assert pieces[0][0] == 3
    assert pieces[-1][1] == 38
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pieces))
    assert all(start in video.keys for start, _ in pieces[1:])
    assert len(pieces) > 1


def test_a_video_that_was_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "v.avi").read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    video = open_video(cut)
    assert 5 < len(list(video.frames())) < 40


@pytest.mark.parametrize("content", [b"", b"no video", bytes(5000)])
def test_what_is_no_video_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError) as error:
        open_video(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        open_video(tmp_path / "absent.mp4")
    with pytest.raises(VideoError, match="not a regular file"):
        open_video(tmp_path)


@pytest.mark.parametrize("color", [(1, 1), (1, 2), (5, 2)])
def test_matrix_and_range_are_those_of_the_file(tmp_path: Path, color: tuple[int, int]) -> None:
    video = open_video(make_video(tmp_path / "v.mkv", 12, color=color))
    values = [float(frame.image().mean()) for frame in video.frames()]
    assert values == pytest.approx([5 * i for i in range(12)], abs=3)


def encoded(path: Path, codec: str, pixels: str, size: tuple[int, int], stamps: list[int], trc: int = 0) -> Path:
    """Gray frames of brightness 100, shown at ``stamps`` (1/1000 s)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        if trc:
            stream.codec_context.color_trc = trc
        for stamp in stamps:
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 100, np.uint8), format="bgr24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("codec", "pixels", "size"),
    [("ffv1", "yuv420p10le", (64, 48)), ("ffv1", "yuv422p10le", (67, 45)), ("ffv1", "yuv444p", (33, 31))],
    ids=["ten bits", "ten bits, odd size", "odd size"],
)
def test_ten_bits_and_odd_sizes_are_images_as_any(
    tmp_path: Path, codec: str, pixels: str, size: tuple[int, int]
) -> None:
    video = open_video(encoded(tmp_path / "v.mkv", codec, pixels, size, list(range(0, 400, 40))))
    images = [frame.image() for frame in video.frames()]
    assert len(images) == 10
    assert all(image.shape == (size[1], size[0], 3) and image.dtype == np.uint8 for image in images)
    assert np.mean([image.mean() for image in images]) == pytest.approx(100, abs=4)


def test_frames_that_come_unevenly_keep_their_times(tmp_path: Path) -> None:
    stamps = [0, 40, 50, 400, 1000, 1040]
    video = open_video(encoded(tmp_path / "v.mkv", "ffv1", "yuv420p", (64, 48), stamps))
    assert [round(frame.time * 1000) for frame in video.frames()] == stamps
    assert [frame.index for frame in video.frames(2, 5)] == [2, 3, 4]
    assert video.index_at(0.3) == 3


@pytest.mark.parametrize(("trc", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_said_in_one_line(tmp_path: Path, trc: int, name: str) -> None:
    path = encoded(tmp_path / "v.mkv", "libx265", "yuv420p10le", (64, 64), [0, 40, 80], trc)
    assert open_video(path).note == f"HDR video ({name}): colours are not tone-mapped, crops look flat"


def test_a_file_of_sound_alone_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoError, match="no video in it, only sound"):
        open_video(path)


def test_a_quick_look_gives_the_frames_that_others_need(tmp_path: Path) -> None:
    path = tmp_path / "b.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20, options={"bf": "3", "x264-params": "b-pyramid=none"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 128, 96, "yuv420p", 20
        for i in range(40):
            image = np.full((96, 128, 3), 5 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    video = open_video(path)
    whole = {frame.index: frame.image() for frame in video.frames()}
    quick = {frame.index: frame.image() for frame in video.frames(quick=True)}
    assert len(whole) == 40 > 2 * len(quick) > 10
    assert set(video.keys.tolist()) <= set(quick)
    assert all(np.abs(whole[i].astype(int) - quick[i]).max() < 8 for i in quick)
