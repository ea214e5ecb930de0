"""Video files and folders of images."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from face_af_capture.params import CaptureNodeParams
from face_af_capture.sources.base import EndOfSource, Pace, SourceError, sane_rate
from face_af_capture.sources.folder import ImageFolder
from face_af_capture.sources.video_file import VideoFile
from face_af_common.natural_order import natural

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
    assert count(source) == (40, "video.avi has ended after 40 frames")
    assert source.notes == []
    source.close()


def test_its_own_rate_is_the_default(video: Path) -> None:
    source = VideoFile(CaptureNodeParams(source="file", device=str(video)), stopped())
    assert source.period == pytest.approx(1 / 25)


def test_a_video_is_played_again_and_again(video: Path) -> None:
    source = VideoFile(fast(video, loop=True), stopped())
    shown = [source.read(None).image.copy() for _ in range(85)]
    assert np.array_equal(shown[0], shown[40])
    assert np.array_equal(shown[4], shown[84])


def test_the_buffer_is_written_into(video: Path) -> None:
    source = VideoFile(fast(video), stopped())
    source.read(None)  # decoded when it was opened
    buffer = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    assert np.shares_memory(source.read(buffer).image, buffer)
    assert buffer.any()


def test_a_cut_video_is_played_as_far_as_it_goes(video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: len(content) // 2])
    source = VideoFile(fast(video), stopped())
    number, _ = count(source)
    assert 10 < number < 30
    assert source.notes == [f"{video} is damaged: {number} of 40 frames could be read"]


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


def write_video(path: Path, times_ms: list[int], rotate: int = 0) -> None:
    """Gray frames, each lighter than the one before, shown at their own times; PyAV, for OpenCV keeps one rate."""
    av = pytest.importorskip("av", reason="PyAV makes these videos")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(picture(8 * number), "bgr24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    if rotate:
        turn(path)


def turn(path: Path) -> None:
    """Writes into an MP4 file what phones do for portrait: show it turned clockwise by 90 degrees."""
    content = bytearray(path.read_bytes())
    # ISO/IEC 14496-12: the track header's matrix, nine 32-bit numbers, 40 bytes into its content of version 0
    place = content.index(b"tkhd") + 4 + 40
    matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, SIZE[1] << 16, 0, 1 << 30)
    content[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)


class Sleepless(Event):
    """Notes how long it is asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return False


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_frames_come_at_their_own_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    """Phones and screen recorders vary the rate; containers then count frames that are not there."""
    times = [0, 33, 66, 100, 400, 433, 466, 1500, 1533]
    path = tmp_path / f"video.{suffix}"
    write_video(path, times)
    stop = Sleepless()
    monkeypatch.setattr(Pace.__init__, "__defaults__", (lambda: stop.now,))
    source = VideoFile(CaptureNodeParams(source="file", device=str(path)), stop)
    acquired = [source.read(None).acquired for _ in times]
    assert [round(1000 * time) for time in acquired] == pytest.approx(times, abs=2)
    with pytest.raises(EndOfSource, match="after 9 frames"):
        source.read(None)
    assert source.notes == []


def test_a_phones_portrait_video_is_upright(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    write_video(path, [0, 33, 66], rotate=90)
    source = VideoFile(fast(path), stopped())
    assert source.name == f"video.mp4 {SIZE[1]}x{SIZE[0]} at 240/s"
    assert source.read(None).image.shape == (SIZE[0], SIZE[1], 3)


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
    assert [int(source.read(None).image[0, 0, 0]) for _ in range(3)] == [9, 10, 100]
    assert count(source) == (0, f"{tmp_path} has ended after 3 frames")


def test_a_loop_sees_new_images_and_leaves_out_broken_ones_with_one_line(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(1))
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe0 not quite")
    (tmp_path / "c.jpg").write_bytes(b"")
    source = ImageFolder(fast(tmp_path, "folder", loop=True), stopped())
    assert source.read(None).image[0, 0, 0] == 1
    cv2.imwrite(str(tmp_path / "d.png"), picture(4))
    shades = [int(source.read(None).image[0, 0, 0]) for _ in range(4)]
    assert shades == [1, 4, 1, 4]
    assert [Path(note.split(":")[0]).name for note in source.notes] == ["b.jpg", "c.jpg"]
    assert all(note.endswith("; it is left out") for note in source.notes)


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
    assert [round(pace.wait(), 3) for _ in range(3)] == [1.2, 1.3, 1.4]
    now[0] += 0.15  # a little late: the next one is in time again
    assert [round(pace.wait(), 3) for _ in range(2)] == [1.55, 1.6]
    assert (round(pace.wait(0.4), 3), pace.period) == (2.0, 0.4)


@pytest.mark.parametrize(("given", "used"), [(25.0, 25.0), (0.0, 30.0), (float("nan"), 30.0), (90000.0, 30.0)])
def test_rates_that_cannot_be(given: float, used: float) -> None:
    assert sane_rate(given) == used
