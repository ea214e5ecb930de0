"""Enrolling from a video: on made-up people, and on a real clip where there is one (FACE_AF_TEST_MEDIA)."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_gallery.gallery import Gallery
from face_af_people import enrol
from face_af_people.photos import PhotoError
from face_af_people.video_enrolment import chosen, clearest, in_characters

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import analyser, photo

MEDIA = Path(os.environ.get("FACE_AF_TEST_MEDIA", ""))


@pytest.fixture(autouse=True)
def fake_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real" not in request.node.name:
        monkeypatch.setattr(enrol, "open_analyser", lambda options: analyser())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Anna is seen large and all the time, Dora small and for a while."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (800, 400))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no video")
    both = cv2.imread(str(photo(tmp_path / "both.png", ("anna", 180), ("dora", 60))))
    alone = both.copy()
    alone[:, 400:] = 0
    for step in range(24):
        writer.write(both if step < 10 else alone)
    writer.release()
    return path


def run(gallery: Path, *arguments: object) -> int:
    return enrol.main(["--gallery", str(gallery), *map(str, arguments)])


def test_the_clearest_face_of_the_clearest_track_is_enrolled(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "g", "--name", "anna", "--yes", clip) == 0
    assert "1 person, 1 sample" in capsys.readouterr().out
    models = analyser()
    gallery = Gallery.open(tmp_path / "g", models.embedder)
    anna = models.analyse(np.asarray(cv2.imread(str(photo(tmp_path / "a.png", ("anna", 180)))), np.uint8))[0]
    assert gallery.match(anna.embedding[None])[0].similarity > 0.9
    # the same face under another name is told
    assert run(tmp_path / "g", "--name", "bert", "--yes", clip) == 0
    assert "looks like anna" in capsys.readouterr().err


def test_a_face_is_shown_and_another_one_can_be_chosen(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = clearest(analyser(), str(clip), 0.0, 1)
    assert len(found) == 2
    shown: list[bool] = []

    def answer(question: str, word: str) -> str:
        line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("shown in"))
        sheet = Path(line.split()[2])
        shown.append(cv2.imread(str(sheet)) is not None and sheet.parent.stat().st_mode & 0o077 == 0)
        return word

    for word, expected in (("y", found[0]), ("2", found[1]), ("n", None), ("", None), ("7", None)):
        assert chosen(found, "anna", ask=lambda question, word=word: answer(question, word)) is expected
    assert shown == [True] * 5
    assert in_characters(found[0].faces[0].chip.picture).count("\n") == 11


def test_mistakes_are_one_line_and_enrol_nobody(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))  # no terminal
    dark = tmp_path / "dark.avi"
    dark.write_bytes(b"RIFF")
    one = photo(tmp_path / "one.png", ("anna", 180))
    for arguments in (
        ["--name", "anna", clip],
        ["--yes", clip],
        ["--name", "anna", "--yes", dark],
        ["--name", "anna", "--yes", tmp_path / "none.mp4"],
        ["--name", "anna", "--yes", clip, one],
    ):
        assert run(tmp_path / "g", *arguments) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1, arguments
    assert not (tmp_path / "g" / "gallery.json").exists()
    with pytest.raises(PhotoError):
        clearest(analyser(), str(dark), 0.0, 1)


def test_real_singer_is_enrolled_from_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = MEDIA / "short_hamilton_clip.mp4"
    if not os.environ.get("FACE_AF_TEST_MEDIA") or not clip.is_file():
        pytest.skip("no video (FACE_AF_TEST_MEDIA)")
    models = ["--detector", "centerface", "--embedder", "dlib"]
    assert run(tmp_path / "g", "--name", "singer", "--yes", "--seconds", 0.5, "--most", 2, *models, clip) == 0
    out = capsys.readouterr().out
    assert "is singer's now" in out and "1 person" in out
