"""The demo's folder: nothing that the demo has not made is touched, and a fault is told by its cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from face_af_common.files import locked
from face_af_gallery.files import GalleryFolder
from face_af_gallery.model import Sample
from face_af_sim.demo import cast, cli
from face_af_sim.demo.cast import CastError, begin_gallery
from face_af_sim.demo.graph import cause, faults_of


def enrol_somebody(folder: Path) -> None:
    files = GalleryFolder(folder)
    with files.locked():
        files.write_samples([Sample("0123456789abcdef", "anna", 1.0, False, np.zeros((5, 2), np.float32))])


def test_a_gallery_of_the_user_is_left_alone(tmp_path: Path) -> None:
    enrol_somebody(tmp_path / "gallery")  # one person, as a demo's
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thoughts.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for place in ("gallery", "notes", "file"):
        with pytest.raises(CastError, match="was not made by a demo"):
            begin_gallery(tmp_path / place)
    assert [s.identity for s in GalleryFolder(tmp_path / "gallery").read_samples().values()] == ["anna"]
    assert (tmp_path / "notes" / "thoughts.txt").read_text() == (tmp_path / "file").read_text() == "mine"


def test_a_demos_gallery_is_emptied_and_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        begin_gallery(tmp_path / "gallery")
        assert GalleryFolder(tmp_path / "gallery").read_samples() == {}
        enrol_somebody(tmp_path / "gallery")
        (tmp_path / "gallery" / "notes.txt").write_text("mine")
    (tmp_path / "gallery" / "gallery.json").write_text("damaged")
    begin_gallery(tmp_path / "gallery")
    assert (tmp_path / "gallery" / "notes.txt").read_text() == "mine"


def test_two_demos_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with locked(tmp_path / ".lock", 0.0):
        assert cli.main(["--out", str(tmp_path)]) == 1
    assert "another program is writing it" in capsys.readouterr().out


def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast.samples, "fetch", lambda *_: pytest.fail("began all the same"))
    (tmp_path / "file").touch()
    assert cli.main(["--out", str(tmp_path / "file" / "demo")]) == 1
    out = capsys.readouterr().out
    assert "is no folder" in out and out.count("\n") == 1


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["[s-1] [ERROR] late", "[a-2] [FATAL] the cause", "[b-3] [ERROR] so what"], "[a-2] [FATAL] the cause"),
        (
            [
                "[a-2] [ERROR] camera not there yet", "[b-3] words", "[b-3] MemoryError", "[a-2] [INFO] fine",
                "[ERROR] [b-3]: process has died [pid 7, exit code 1, cmd 'b'].", "[a-2] [ERROR] nobody answers",
            ],
            "[b-3] MemoryError",
        ),
        (["[a-1] hello", "[a-1] [ERROR] first", "[a-1] [ERROR] second"], "[a-1] [ERROR] first"),
        (["[a-1] hello"], "[a-1] hello"),
        ([], "it said nothing"),
    ],
)  # fmt: skip
def test_the_cause_comes_before_its_consequences(lines: list[str], told: str) -> None:
    assert cause(lines) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[recorder-6] [ERROR] [17.5] [face_af.recorder]: stopped: /x: full", ["stopped: /x: full"]),
        ("[recorder-6] [ERROR] recording has stopped: /x: full", ["recording has stopped: /x: full"]),
        ("[recorder-6] [WARN] recorder has ended (SIGKILL); it is started again",
         ["recorder has ended (SIGKILL); it is started again"]),
        ("[recorder-6] [WARN] [17.5] [face_af.recorder]: /x holds something already; recording to /x_1", []),
        ("[stage-1] [ERROR] [17.5] [face_af.stage]: nobody is there", []),
    ],
)  # fmt: skip
def test_a_recording_that_fails_is_told(line: str, told: list[str]) -> None:
    assert faults_of("recorder", ["[launch] [INFO] hello", line]) == told
