"""classify and calibrate on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from face_af_common.params import ParamError
from face_af_overlay import calibrate, classify, presets
from face_af_overlay.debug_picture import ACCEPTED, debug_picture
from face_af_overlay.detector import AfBoxDetector

PRESETS = Path(__file__).resolve().parents[3] / "config" / "overlay"


@pytest.fixture
def frame(tmp_path: Path, background: NDArray[np.uint8], outline: Callable[..., None]) -> Path:
    outline(background, (400, 300, 90, 90), (190, 190, 190))
    outline(background, (800, 300, 90, 110), (206, 206, 206))
    outline(background, (1200, 300, 90, 90), (140, 220, 40))
    path = tmp_path / "frame.png"
    cv2.imwrite(str(path), background)
    return path


def test_classify_writes_json_and_pictures(frame: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert classify.main([str(frame), "--json", "--annotate", str(tmp_path / "out")]) == 0
    entries = json.loads(capsys.readouterr().out)[str(frame)]
    assert len(entries) == 3 and set(entries[0]) == {"state", "box", "confidence"}
    assert (tmp_path / "out" / "frame_overlay.png").stat().st_size > 1000


def test_classify_goes_on_after_a_broken_file(frame: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    assert classify.main([str(broken), str(tmp_path / "absent.png"), str(frame)]) == 1
    out, err = capsys.readouterr()
    assert "3 boxes" in out and len(err.strip().splitlines()) == 2


def test_calibrate_separates_the_named_states(frame: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preset = tmp_path / "mine.yaml"
    boxes = ["detected,400,300,90,90", "tracked,800,300,90,110", "active_focus,1200,300,90,90"]
    arguments = [part for box in boxes for part in ("--box", box)]
    assert calibrate.main([str(frame), *arguments, "--output", str(preset)]) == 0
    assert "after 3/3" in capsys.readouterr().out
    params = presets.load(str(preset))
    assert 190 < params.colour.white_min < 206


@pytest.mark.parametrize("box", ["gray,1,2,3,4", "detected,1,2,3", "7:detected,1,2,3,4", "detected,a,b,c,d"])
def test_calibrate_refuses_bad_boxes(frame: Path, box: str) -> None:
    assert calibrate.main([str(frame), "--box", box]) == 2


@pytest.mark.parametrize("path", sorted(PRESETS.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_presets_are_valid(path: Path) -> None:
    presets.load(str(path))


@pytest.mark.parametrize("content", ["colour", "[1, 2]", "7", "2026-01-01"])
def test_a_preset_without_parameters_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"/**/overlay:\n  ros__parameters: {content}\n")
    with pytest.raises(ParamError, match="no group of parameters"):
        presets.load(str(path))


def test_a_bad_preset_is_named(tmp_path: Path, frame: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("/**/overlay:\n  ros__parameters:\n    colour: {white_min: 20.0}\n")
    with pytest.raises(ParamError, match="white_min"):
        presets.load(str(path))
    assert classify.main([str(frame), "--preset", str(path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_debug_picture_shows_accepted_in_green(frame: Path) -> None:
    picture = cv2.imread(str(frame))
    found = AfBoxDetector().inspect(picture)
    drawn = debug_picture(picture, found.boxes, found.rejected)
    assert drawn.shape == picture.shape and (drawn == ACCEPTED).all(axis=2).sum() > 500
