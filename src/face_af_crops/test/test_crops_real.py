"""The whole run on real footage; skips without FACE_AF_TEST_MEDIA."""

from __future__ import annotations

import csv
import filecmp
import os
from pathlib import Path

import cv2
import pytest

from face_af_crops.crops import main
from face_af_crops.settings import ratio


@pytest.fixture(scope="module")
def media() -> Path:
    folder = os.environ.get("FACE_AF_TEST_MEDIA", "")
    if not (Path(folder) / "short_hamilton_clip.mp4").is_file():
        pytest.skip("FACE_AF_TEST_MEDIA names no folder with short_hamilton_clip.mp4")
    return Path(folder)


@pytest.fixture(scope="module")
def run(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crops") / "out"
    arguments = [str(media / "short_hamilton_clip.mp4"), "--ref", str(media / "lin-manuel-miranda.png")]
    assert main([*arguments, "--out", str(out)]) == 0
    return out


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_singer_and_nobody_else_is_cropped(run: Path) -> None:
    frames = [int(row["frame"]) for row in rows(run)]
    assert any(frame <= 18 for frame in frames)
    assert any(83 <= frame <= 210 for frame in frames)
    assert all(frame <= 18 or 83 <= frame <= 210 for frame in frames)


def test_crops_are_what_their_rows_say(run: Path) -> None:
    for row in rows(run):
        image = cv2.imread(str(run / row["crop_path"]))
        across, down = ratio(row["ratio"])
        assert image.shape[1] * down == image.shape[0] * across
        assert image.shape[1] == int(row["x2"]) - int(row["x1"])
        assert float(row["x1"]) <= float(row["face_x"])
        assert float(row["face_x"]) + float(row["face_w"]) <= float(row["x2"])
    assert (run / "annot").is_dir()
    assert (run / "timeline.png").stat().st_size > 1000


def test_the_same_again_is_the_same(run: Path, media: Path, tmp_path: Path) -> None:
    arguments = [str(media / "short_hamilton_clip.mp4"), "--ref", str(media / "lin-manuel-miranda.png")]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--jobs", "2"]) == 0
    names = ["index.csv", "report.json", *(row["crop_path"] for row in rows(run))]
    assert filecmp.cmpfiles(run, tmp_path / "out", names, shallow=False)[0] == names


def test_somebody_who_is_not_there_is_said(media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(media / "intel_asl_sister.mkv"), "--ref", str(media / "lin-manuel-miranda.png")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 3
    assert "the nearest face comes to" in capsys.readouterr().out
