from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from face_af_common.ros_domain import claim_domain, free_port
from face_af_common.types import AfBox, AfState, Box, Face, SteeringStatus
from face_af_sim.demo.measure import FrameResult, Measure, Truth
from face_af_sim.demo.timeline import draw_timeline
from face_af_sim.demo.video import VideoFrame, VideoWriter
from face_af_view.annotate import Caption

ANNA, BORIS = Box(100, 100, 80, 100), Box(400, 100, 80, 100)


def truth(focus: str = "", visible: bool = True) -> Truth:
    return Truth(
        target="anna",
        names=("anna", "boris"),
        boxes=(ANNA, BORIS),
        visible=(visible, True),
        focus=focus,
        target_visible=visible,
        target_focused=visible and focus == "anna",
    )


def frame(time: float, focus: str = "", visible: bool = True, presses: int = 0, **changes: object) -> FrameResult:
    values = {"state": SteeringStatus.STEERING, "latency_ms": 40.0, "named": visible, "wrong": 0, **changes}
    return FrameResult(time=time, truth=truth(focus, visible), presses=presses, **values)  # type: ignore[arg-type]


def test_the_report_counts_only_frames_with_a_visible_target() -> None:
    measure = Measure()
    for i in range(10):
        measure.add(frame(i * 0.1, "boris"))
    for i in range(10, 20):
        measure.add(frame(i * 0.1, "anna", presses=1))
    for i in range(20, 30):
        measure.add(frame(i * 0.1, "boris", visible=False, presses=1))
    report = measure.report(wall_s=3.0)
    assert report["on_target"] == 0.5
    assert report["frames"] == 30
    assert report["fps"] == 10.0
    assert report["acquisitions"] == 1
    assert report["acquire_p50_s"] == pytest.approx(1.0)
    assert report["presses"] == 1
    assert report["recognised"] == 1.0


def test_a_target_that_leaves_unfocused_is_no_acquisition() -> None:
    measure = Measure([frame(0.0, "boris"), frame(0.1, "boris", visible=False), frame(0.2, "anna")])
    assert list(measure.acquisitions()) == []


def test_an_empty_run_has_a_report_too() -> None:
    assert Measure().report(wall_s=0.0)["on_target"] == 0.0


def test_the_timeline_is_a_picture(tmp_path: Path) -> None:
    import cv2

    measure = Measure([frame(i / 30, "anna" if i % 50 > 20 else "boris", presses=i // 20) for i in range(150)])
    draw_timeline(measure, tmp_path / "t.png", "Focus on anna")
    picture = cv2.imread(str(tmp_path / "t.png"))
    assert picture.shape[1] == 1600
    assert picture.std() > 5
    draw_timeline(Measure(), tmp_path / "empty.png", "nothing")


def test_the_video_plays(tmp_path: Path) -> None:
    import cv2

    rng = np.random.default_rng(1)
    with VideoWriter(tmp_path / "v.mp4", height=180, lossless=True) as video:
        for i in range(12):
            picture = np.full((360, 640, 3), i * 20, np.uint8)
            picture[:40] = rng.integers(0, 255, (40, 640, 3), np.uint8)
            box = AfBox(AfState.TRACKED, ANNA)
            faces = [Face(1, ANNA, identity="anna")]
            video.write(VideoFrame(i / 30, picture, faces, [box], Caption(SteeringStatus.ON_TARGET)))
    assert video.error is None
    assert video.left_out == 0
    reader = cv2.VideoCapture(str(tmp_path / "v.mp4"))
    frames = 0
    while reader.read()[0]:
        frames += 1
    assert frames == 12


def test_a_video_that_cannot_be_written_does_not_stop_the_demo(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "no such folder" / "v.mp4") as video:
        for i in range(5):
            video.write(VideoFrame(i / 30, np.zeros((360, 640, 3), np.uint8), [], [], Caption()))
    assert video.error is not None


def test_domain_and_port_are_free() -> None:
    first, second = claim_domain(), claim_domain()
    assert 40 <= first < second < 100
    assert 1024 <= free_port() < 65536
