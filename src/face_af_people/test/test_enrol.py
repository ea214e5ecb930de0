"""enrol on made-up people; no weights and no photographs needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_people import enrol, identify
from face_af_people.enrolment import enrol_person, groups, outliers

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import analyser, photo, run

pytestmark = pytest.mark.usefixtures("fake_models")


def test_enrol_a_folder_of_people_and_show_it(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gallery = tmp_path / "gallery"
    assert run(enrol, "--gallery", gallery, people) == 0
    assert run(enrol, "--gallery", gallery, people) == 0
    out = capsys.readouterr().out
    assert (
        "anna: 4 enrolled; similarity" in out
        and "anna: 0 enrolled, 4 known already" in out
        and "5 people, 20 samples" in out
    )
    thumbnails = list((gallery / "chips").glob("*.png"))
    assert len(thumbnails) == 20 and cv2.imread(str(thumbnails[0])) is not None
    assert run(enrol, "--gallery", gallery, "--list") == 0
    assert "bert: 4 samples" in capsys.readouterr().out
    assert run(enrol, "--gallery", gallery, "--remove", "bert") == 0
    assert run(enrol, "--gallery", gallery, "--remove", "bert") == 1
    assert "4 people, 16 samples" in (run(enrol, "--gallery", gallery, "--list"), capsys.readouterr().out)[1]


def test_bad_photos_are_one_line_each_and_the_others_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = photo(tmp_path / "in" / "good.png", ("anna", 150))
    photo(tmp_path / "in" / "none.png")
    photo(tmp_path / "in" / "two.png", ("anna", 150), ("bert", 150))
    photo(tmp_path / "in" / "small_other.png", ("anna", 200), ("bert", 100), light=150)
    (tmp_path / "in" / "cut.png").write_bytes(good.read_bytes()[:200])
    (tmp_path / "in" / "empty.jpg").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_text("not a picture", encoding="utf-8")
    assert run(enrol, "--gallery", tmp_path / "g", "--name", "anna", tmp_path / "in") == 0
    out = capsys.readouterr().out
    for name, word in (
        ("none.png", "no face"), ("two.png", "2 faces of similar size"), ("cut.png", "not an image"),
        ("empty.jpg", "empty, 0 bytes"), ("notes.txt", "not a photograph"),
    ):  # fmt: skip
        lines = [line for line in out.splitlines() if name in line]
        assert len(lines) == 1 and word in lines[0]
    assert "anna: 2 enrolled, 5 skipped" in out
    assert run(enrol, "--gallery", tmp_path / "g", "--name", "anna", "--largest", tmp_path / "in" / "two.png") == 0


def test_nothing_usable_leaves_no_gallery(tmp_path: Path) -> None:
    photo(tmp_path / "none.png")
    assert run(enrol, "--gallery", tmp_path / "g", "--name", "anna", tmp_path / "none.png") == 1
    assert not (tmp_path / "g" / "gallery.json").exists()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 200])
def test_impossible_names(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    picture = photo(tmp_path / "a.png", ("anna", 150))
    assert run(enrol, "--gallery", tmp_path / "g", "--name", name, picture) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_mistakes_in_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = photo(tmp_path / "a.png", ("anna", 150))
    assert run(enrol, "--gallery", tmp_path / "g", picture) == 2
    assert "whose photos" in capsys.readouterr().err
    assert run(enrol, "--gallery", tmp_path / "g", "--name", "anna", tmp_path / "absent.png") == 2
    assert run(enrol, "--gallery", tmp_path / "absent", "--list") == 2
    for wrong in ([], ["--negative", str(picture)]):
        with pytest.raises(SystemExit):
            enrol.main(["--gallery", str(tmp_path / "g"), *wrong])


def test_outlier_is_shown_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, light in enumerate((120, 160, 200)):
        photo(tmp_path / "anna" / f"{number}.png", ("anna", 180), light=light)
    photo(tmp_path / "anna" / "other.png", ("dora", 180))
    assert run(enrol, "--gallery", tmp_path / "g", tmp_path) == 0
    out = capsys.readouterr().out
    assert "other.png: like none" in out and "3 enrolled, 1 left out" in out
    assert run(enrol, "--gallery", tmp_path / "g", "--keep-outliers", tmp_path) == 0
    assert "1 enrolled, 3 known already" in capsys.readouterr().out


def test_two_people_under_one_name_and_a_known_face_under_a_new_one(tmp_path: Path) -> None:
    from face_af_gallery.gallery import Gallery

    made = analyser()
    gallery = Gallery(None, made.embedder)
    mixed = [
        photo(tmp_path / f"{n}{light}.png", (n, 180), light=light) for n in ("anna", "dora") for light in (150, 220)
    ]
    lines: list[str] = []
    enrol_person(gallery, made, "mixed", mixed, say=lines.append)
    assert any("2 different people" in line and "anna150.png anna220.png |" in line for line in lines)
    lines.clear()
    enrol_person(gallery, made, "other", [photo(tmp_path / "again.png", ("anna", 180), light=180)], say=lines.append)
    assert any("looks like mixed" in line for line in lines)


def test_negative_samples_are_not_the_person(people: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    run(enrol, "--gallery", gallery, people)
    twin = photo(tmp_path / "twin.png", ("anna", 170), light=140)
    out = tmp_path / "out.json"
    assert run(identify, "--gallery", gallery, "--json", out, twin) == 0
    assert json.loads(out.read_text())[str(twin)][0]["identity"] == "anna"
    assert run(enrol, "--gallery", gallery, "--name", "anna", "--negative", twin) == 0
    assert run(identify, "--gallery", gallery, "--json", out, twin) == 0
    assert json.loads(out.read_text())[str(twin)][0]["identity"] == ""


def test_groups_and_outliers_of_embeddings() -> None:
    a, b = np.eye(2, dtype=np.float32)
    assert groups(np.stack([a, a, b, b, a]), 0.5) == [[0, 1, 4], [2, 3]]
    assert outliers(np.stack([a, a, b]), 0.5) == {2}
    assert outliers(np.stack([a, b]), 0.5) == set() and outliers(np.stack([a, b, -a]), 0.5) == set()


def test_photographs_of_all_kinds_are_enrolled(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, gallery = tmp_path / "anna", tmp_path / "gallery"
    for suffix in ("jpg", "webp", "gif", "avif"):
        if cv2.haveImageWriter(f"a.{suffix}"):
            photo(folder / f"{suffix}.{suffix}", ("anna", 180))
    photo(tmp_path / "a.jpg", ("anna", 180), light=150).rename(folder / "saved.jfif")
    (folder / "phone.heic").write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic")
    (folder / "DSC_0001.NEF").write_bytes(b"MM\0*")
    assert run(enrol, "--gallery", gallery, "--name", "Zoe\u0308", folder) == 0
    out = capsys.readouterr().out
    count = len(list(folder.iterdir())) - 2
    assert f"Zo\u00eb: {count} enrolled, 2 skipped" in out and count >= 3
    assert "phone.heic: an HEIC photo" in out and "DSC_0001.NEF: a camera's raw file" in out
    assert run(enrol, "--gallery", gallery, "--remove", "Zo\u00eb") == 0
