"""extract on made-up people, and on a real video where there is one (FACE_AF_TEST_MEDIA)."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_people import enrol, extract

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import analyser, photo

MEDIA = Path(os.environ.get("FACE_AF_TEST_MEDIA", ""))


@pytest.fixture(autouse=True)
def fake_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real" not in request.node.name:
        for tool in (enrol, extract):
            monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


def run(*arguments: object) -> int:
    return extract.main([str(argument) for argument in arguments])


def test_faces_are_sorted_into_folders_that_enrol_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, light in enumerate((140, 200, 240)):
        photo(tmp_path / "in" / f"{number}.png", ("anna", 180), ("dora", 150), light=light)
    photo(tmp_path / "in" / "one.png", ("bert", 170))
    out = tmp_path / "out"
    assert run("--out", out, tmp_path / "in") == 0
    assert "7 faces of 7 tracks, which look like 3 people" in capsys.readouterr().out
    sizes = sorted(len(list(folder.iterdir())) for folder in (out / "people").iterdir())
    assert sizes == [1, 3, 3]
    rows = list(csv.DictReader((out / "faces.csv").open(encoding="utf-8")))
    assert len(rows) == 7 and all((out / row["crop"]).is_file() and (out / row["chip"]).is_file() for row in rows)
    sheet = cv2.imread(str(out / "contact_sheet.jpg"))
    assert sheet.shape[0] == 3 * 96 and out.stat().st_mode & 0o077 == 0
    (out / "people" / "person_01").rename(out / "people" / "anna")
    assert enrol.main(["--gallery", str(tmp_path / "g"), str(out / "people")]) == 0
    assert "3 people, 7 samples" in capsys.readouterr().out


def test_of_a_track_the_clearest_faces_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (640, 400))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no video")
    source = cv2.imread(str(photo(tmp_path / "p.png", ("cleo", 150))))
    for step in range(30):
        frame = np.zeros((400, 640, 3), np.uint8)
        frame[:, 4 * step : 4 * step + 400] = source
        writer.write(frame)
    writer.release()
    assert run("--out", tmp_path / "out", "--most", 2, path) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "faces.csv").open(encoding="utf-8")))
    assert len(rows) == 2 and abs(int(rows[0]["frame"]) - int(rows[1]["frame"])) >= 5
    assert run("--out", tmp_path / "short", "--seconds", 0.1, path) == 0
    assert len(list(csv.DictReader((tmp_path / "short" / "faces.csv").open(encoding="utf-8")))) == 1


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nobody, full = photo(tmp_path / "nobody.png"), tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("mine")
    (tmp_path / "noise.mp4").write_bytes(b"\0\1" * 500)
    (tmp_path / "empty").mkdir()
    for status, arguments, word in (
        (2, ("--out", full, nobody), "not empty"),
        (2, ("--out", tmp_path / "o", "0"), "--seconds"),
        (1, ("--out", tmp_path / "o", nobody), "no face"),
        (1, ("--out", tmp_path / "o", tmp_path / "empty"), "no photographs or videos"),
        (1, ("--out", tmp_path / "o", tmp_path / "noise.mp4", tmp_path / "gone.jpg"), "nothing could be read"),
    ):
        capsys.readouterr()
        assert run(*arguments) == status
        captured = capsys.readouterr()
        assert word in captured.err and "Traceback" not in captured.err + captured.out
        assert not (tmp_path / "o").exists()
    assert (full / "x").read_text() == "mine"


def test_real_video(tmp_path: Path) -> None:
    video = MEDIA / "short_hamilton_clip.mp4"
    if not os.environ.get("FACE_AF_TEST_MEDIA") or not video.is_file():
        pytest.skip("no video (FACE_AF_TEST_MEDIA)")
    singer, pianist = MEDIA / "lin-manuel-miranda.png", MEDIA / "alex-lacamoire.png"
    assert run("--out", tmp_path / "out", "--seconds", 4, video, singer, pianist) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "faces.csv").open(encoding="utf-8")))
    folder = {Path(row["source"]).name + row["frame"]: Path(row["crop"]).parent.name for row in rows}
    singers = folder["lin-manuel-miranda.png0"]
    with_singer = [row for row in rows if Path(row["crop"]).parent.name == singers and row["source"] == str(video)]
    # frames 83 to 119 show the singer close
    assert any(int(row["frame"]) >= 83 for row in with_singer)
    assert folder["alex-lacamoire.png0"] != singers
    # with Ubuntu's OpenCV (4.5.4, 4.6) a blurred face in the audience (quality 0.1) is taken for his
    least = 0.2 if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 7) else 0.0
    frames = [int(row["frame"]) for row in with_singer if float(row["quality"]) >= least]
    assert all(frame >= 83 or frame <= 19 for frame in frames)
