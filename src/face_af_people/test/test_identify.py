"""identify on made-up people; no weights and no photographs needed."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_people import enrol, identify
from face_af_people.identifier import Identified, Identifier

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, photo, run

pytestmark = pytest.mark.usefixtures("fake_models")


@pytest.mark.parametrize("kind", ["gallery", "folder of folders"])
def test_identify_names_known_people_and_leaves_strangers_empty(kind: str, people: Path, tmp_path: Path) -> None:
    gallery = people
    if kind == "gallery":
        gallery = tmp_path / "g"
        run(enrol, "--gallery", gallery, people)
    both = photo(tmp_path / "in" / "both.png", ("bert", 150), ("fred", 100), light=180)
    empty = photo(tmp_path / "in" / "nobody.png")
    out, drawn = tmp_path / "deep" / "out.json", tmp_path / "drawn"
    assert run(identify, "--gallery", gallery, "--json", out, "--annotate", drawn, both, empty) == 0
    data = json.loads(out.read_text(encoding="utf-8"))
    assert list(data) == [str(both), str(empty)] and data[str(empty)] == []
    first, second = data[str(both)]
    assert set(first) == {"box", "identity", "similarity", "score"}
    assert first["identity"] == "bert" and first["similarity"] > 0.9 and first["box"] == [60, 60, 150, 150]
    assert second["identity"] == "" and second["similarity"] < 0.5
    assert {path.name for path in drawn.iterdir()} == {"both.jpg", "nobody.jpg"}


def test_identify_a_video_gives_one_entry_a_frame(people: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (640, 400))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no video")
    source = cv2.imread(str(photo(tmp_path / "p.png", ("cleo", 150))))
    for step in range(12):
        frame = np.zeros((400, 640, 3), np.uint8)
        frame[:, 4 * step : 4 * step + 400] = source
        writer.write(frame)
    writer.release()
    out = tmp_path / "out.json"
    assert run(identify, "--gallery", people, "--json", out, "--annotate", tmp_path / "drawn", path) == 0
    frames = json.loads(out.read_text())[str(path)]
    assert len(frames) == 12 and all(len(frame) == 1 for frame in frames)
    assert frames[-1][0]["identity"] == "cleo"
    assert (tmp_path / "drawn" / "clip.mp4").stat().st_size > 0


def test_identify_looks_into_folders_and_writes_a_table(people: Path, tmp_path: Path) -> None:
    deep = photo(tmp_path / "in" / "a" / "b" / "both.png", ("bert", 150), ("fred", 100), light=180)
    photo(tmp_path / "in" / "nobody.png")
    out = tmp_path / "out.csv"
    assert run(identify, "--gallery", people, "--csv", out, "--recursive", tmp_path / "in") == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8", newline="")))
    assert [(row["file"], row["frame"], row["identity"]) for row in rows] == [
        (str(deep), "", "bert"),
        (str(deep), "", ""),
    ]
    assert float(rows[0]["width"]) == 150


def test_identify_goes_on_after_inputs_that_cannot_be_read(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = photo(tmp_path / "good.png", ("anna", 150))
    (tmp_path / "text.jpg").write_text("no picture", encoding="utf-8")
    (tmp_path / "noise.mp4").write_bytes(b"\x00\x01" * 500)
    inputs = [tmp_path / "text.jpg", tmp_path / "noise.mp4", tmp_path / "absent.png", good]
    out = tmp_path / "out.json"
    assert run(identify, "--gallery", people, "--json", out, *inputs) == 0
    data = json.loads(out.read_text())
    assert [len(data[str(path)]) for path in inputs] == [0, 0, 0, 1]
    assert run(identify, "--gallery", people, tmp_path / "absent.png") == 1
    assert run(identify, "--gallery", tmp_path / "absent", good) == 2
    assert run(identify, "--gallery", tmp_path, "--json", tmp_path, good) == 2
    (tmp_path / "empty").mkdir()
    assert run(identify, "--gallery", tmp_path / "empty", good) == 2
    capsys.readouterr()
    assert run(identify, "--gallery", people, good) == 0
    assert "anna" in capsys.readouterr().out


def test_identify_a_folder_never_says_nothing(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    assert run(identify, "--gallery", people, folder) == 2
    assert f"{folder}: no photographs or videos in it" in capsys.readouterr().err
    assert run(identify, "--gallery", people, people) == 2
    assert "it has folders in it: give them, as in" in capsys.readouterr().err
    for name in ("a.HEIC", "b.jpg"):
        (folder / name).write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic")
    assert run(identify, "--gallery", people, folder) == 1
    out = capsys.readouterr().out
    assert out.count("an HEIC photo") == 2 and "no face" not in out and "notes" not in out


def test_two_inputs_of_the_same_name_are_both_drawn(people: Path, tmp_path: Path) -> None:
    inputs = [photo(tmp_path / folder / "a.png", ("anna", 150)) for folder in ("x", "y")]
    assert run(identify, "--gallery", people, "--annotate", tmp_path / "drawn", *inputs) == 0
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"a.jpg", "a_2.jpg"}


def test_many_pictures_in_several_threads_with_a_contact_sheet(people: Path, tmp_path: Path) -> None:
    inputs = [photo(tmp_path / "in" / f"{i:02}.png", (name, 150)) for i, name in enumerate((*HUES, *HUES))]
    one, many, sheet = tmp_path / "one.json", tmp_path / "many.json", tmp_path / "sheet.jpg"
    assert run(identify, "--gallery", people, "--json", one, tmp_path / "in") == 0
    assert run(identify, "--gallery", people, "--json", many, "--jobs", 3, "--sheet", sheet, tmp_path / "in") == 0
    assert one.read_text() == many.read_text() and list(json.loads(many.read_text())) == list(map(str, inputs))
    pages = cv2.imread(str(sheet))
    assert pages.shape[0] == 2 * 262 and pages.shape[1] == 6 * 320 and sheet.stat().st_mode & 0o077 == 0
    with pytest.raises(SystemExit):
        identify.main(["--jobs", "0", "x.png"])


def test_a_run_that_was_stopped_goes_on(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = [photo(tmp_path / "in" / f"{i}.png", ("anna", 150), light=150 + 10 * i) for i in range(5)]
    out, looked = tmp_path / "out.json", []
    whole = Identifier.identify

    def stops(self: Identifier, path: Path, target: Path | None = None) -> Identified:
        looked.append(path.name)
        if len(looked) == 4:
            raise KeyboardInterrupt
        return whole(self, path, target)

    monkeypatch.setattr(Identifier, "identify", stops)
    with pytest.raises(KeyboardInterrupt):
        run(identify, "--gallery", people, "--json", out, tmp_path / "in")
    progress = tmp_path / "out.json.progress"
    assert progress.is_file() and not out.exists() and progress.stat().st_mode & 0o077 == 0
    with progress.open("a", encoding="utf-8") as file:
        file.write('{"input": "half a li')  # as a crash leaves it
    photo(inputs[0], ("bert", 150))  # changed meanwhile
    kept = progress.read_text(encoding="utf-8")
    assert run(identify, "--gallery", people, "--json", out, "--resume", "--threshold", 0.9, tmp_path / "in") == 2
    assert capsys.readouterr().err.count("another gallery, threshold") == 1
    assert progress.read_text(encoding="utf-8") == kept
    looked[:] = [""] * 9
    assert run(identify, "--gallery", people, "--json", out, "--resume", tmp_path / "in") == 0
    assert looked[9:] == ["0.png", "3.png", "4.png"] and not progress.exists()
    found = json.loads(out.read_text())
    assert [found[str(path)][0]["identity"] for path in inputs] == ["bert", *["anna"] * 4]
