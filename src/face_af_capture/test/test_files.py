"""Video files and folders of images."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.base import EndOfSource, Pace, SourceError, sane_rate
from face_af_capture.sources.folder import ImageFolder, natural
from face_af_capture.sources.video_file import VideoFile

SIZE = (64, 48)


def picture(shade: int) -> np.ndarray:
    return np.full((SIZE[1], SIZE[0], 3), shade, np.uint8)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """40 pictures of noise, so that half of the bytes are half of the pictures."""
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, SIZE)
    random = np.random.default_rng(1)
    for _ in range(40):
        writer.write(random.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8))
    writer.release()
    return path


def fast(path: Path, source: str = "file", **more: object) -> CaptureNodeParams:
    return CaptureNodeParams(source=source, device=str(path), rate=240.0, **more)  # type: ignore[arg-type]


def stopped() -> Event:
    """An event that makes every wait end at once."""
    event = Event()
    event.set()
    return event


def count(source: VideoFile | ImageFolder) -> tuple[int, str]:
    """How many pictures there are, and what is said at the end."""
    number = 0
    with pytest.raises(EndOfSource) as end:
        while True:
            source.read(None)
            number += 1
    return number, str(end.value)


def test_a_video_is_played_once(video: Path) -> None:
    source = VideoFile(fast(video), stopped())
    assert source.name == "video.avi 64x48 at 240/s"
    assert count(source) == (40, "video.avi has ended after 40 pictures")
    assert source.notes == []
    source.close()


def test_its_own_rate_is_the_default(video: Path) -> None:
    source = VideoFile(CaptureNodeParams(source="file", device=str(video)), stopped())
    assert source.period == pytest.approx(1 / 25)


def test_a_video_is_played_again_and_again(video: Path) -> None:
    source = VideoFile(fast(video, loop=True), stopped())
    shown = [source.read(None).picture.copy() for _ in range(85)]
    assert np.array_equal(shown[0], shown[40])
    assert np.array_equal(shown[4], shown[84])


def test_the_buffer_is_written_into(video: Path) -> None:
    source = VideoFile(fast(video), stopped())
    buffer = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    assert np.shares_memory(source.read(buffer).picture, buffer)
    assert buffer.any()


def test_a_cut_video_is_played_as_far_as_it_goes(video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    source = VideoFile(fast(video), stopped())
    number, _ = count(source)
    assert 10 < number < 30
    assert source.notes == [f"{video} is damaged: {number} of 40 pictures could be read"]


def test_a_hole_in_a_video_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (320, 240))
    random = np.random.default_rng(1)
    for _ in range(60):
        writer.write(random.integers(0, 255, (240, 320, 3), np.uint8))
    writer.release()
    content = bytearray(path.read_bytes())
    start = len(content) // 3
    content[start : start + len(content) // 6] = random.bytes(len(content) // 6)
    path.write_bytes(content)
    source = VideoFile(fast(path), stopped())
    number, _ = count(source)
    assert 35 < number < 60
    assert "is damaged" in source.notes[0]


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_what_is_no_video_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    with pytest.raises(SourceError, match="there is no video file"):
        VideoFile(fast(path), stopped())
    path.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as a video"):
        VideoFile(fast(path), stopped())


def test_a_folder_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 100):
        cv2.imwrite(str(tmp_path / f"f{number}.png"), picture(number))
    (tmp_path / "notes.txt").write_text("no picture")
    source = ImageFolder(fast(tmp_path, "folder"), stopped())
    assert [int(source.read(None).picture[0, 0, 0]) for _ in range(3)] == [9, 10, 100]
    assert count(source) == (0, f"{tmp_path} has ended after 3 pictures")


def test_a_loop_sees_new_images_and_leaves_out_broken_ones_with_one_line(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 not quite")
    (tmp_path / "c.jpg").write_bytes(b"")
    source = ImageFolder(fast(tmp_path, "folder", loop=True), stopped())
    assert source.read(None).picture[0, 0, 0] == 1
    cv2.imwrite(str(tmp_path / "d.png"), picture(4))
    shades = [int(source.read(None).picture[0, 0, 0]) for _ in range(4)]
    assert shades == [1, 4, 1, 4]
    assert [Path(note.split()[0]).name for note in source.notes] == ["b.jpg", "c.jpg"]


def test_folders_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no folder"):
        ImageFolder(fast(tmp_path / "none", "folder"), stopped())
    with pytest.raises(SourceError, match="there are no images"):
        ImageFolder(fast(tmp_path, "folder"), stopped())
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match="none of the images"):
        ImageFolder(fast(tmp_path, "folder", loop=True), stopped()).read(None)


def test_natural_order() -> None:
    names = ["b", "a10", "a2", "2", "10", "a"]
    assert sorted(names, key=natural) == ["2", "10", "a", "a2", "a10", "b"]


def test_pace_keeps_the_rate_and_does_not_hurry_after_a_delay() -> None:
    now = [0.0]

    class Stop(Event):
        def wait(self, timeout: float | None = None) -> bool:
            now[0] += timeout or 0.0
            return False

    pace = Pace(10.0, Stop(), lambda: now[0])
    assert [round(pace.wait(), 3) for _ in range(3)] == [0.0, 0.1, 0.2]
    now[0] += 1.0  # a slow decoder
    assert [round(pace.wait(), 3) for _ in range(3)] == [1.2, 1.2, 1.3]


@pytest.mark.parametrize(("given", "used"), [(25.0, 25.0), (0.0, 30.0), (float("nan"), 30.0), (90000.0, 30.0)])
def test_rates_that_cannot_be(given: float, used: float) -> None:
    assert sane_rate(given) == used
