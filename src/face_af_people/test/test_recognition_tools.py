"""enrol, identify and evaluate on made-up people; no weights and no photographs needed."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_people import enrol, evaluate, identify
from face_af_people.enrolment import enrol_person, groups, outliers
from face_af_people.identifier import Identified, Identifier

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, analyser, photo


@pytest.fixture(autouse=True)
def fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (enrol, identify, evaluate):
        monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Four photos each of five people."""
    for name in list(HUES)[:5]:
        for number, light in enumerate((120, 160, 200, 240)):
            photo(tmp_path / "people" / name / f"{number}.png", (name, 180), light=light)
    return tmp_path / "people"


def run(tool: object, *arguments: object) -> int:
    return tool.main([str(argument) for argument in arguments])  # type: ignore[attr-defined,no-any-return]


# ---- enrol ---------------------------------------------------------------------------------------


def test_enrol_a_folder_of_people_and_show_it(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gallery = tmp_path / "gallery"
    assert run(enrol, "--gallery", gallery, people) == 0
    assert run(enrol, "--gallery", gallery, people) == 0
    out = capsys.readouterr().out
    assert (
        "anna: 4 enrolled; alike" in out
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
    assert "other.png: alike to none" in out and "3 enrolled, 1 left out" in out
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


# ---- identify ------------------------------------------------------------------------------------


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


# ---- evaluate ------------------------------------------------------------------------------------


def test_evaluate_pairs_and_people(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = people / "pairs.csv"
    rows = ["file_x,file_y,Decision"]
    rows += [f"{n}/0.png,{n}/{i}.png,Yes" for n in list(HUES)[:5] for i in (1, 2, 3)]
    rows += [f"anna/{i}.png,{n}/0.png,No" for n in list(HUES)[1:5] for i in (0, 1)]
    pairs.write_text("\n".join(rows), encoding="utf-8")
    report, plots = tmp_path / "out" / "figures.json", tmp_path / "plots"
    options = ["--pairs", pairs, "--people", people, "--repeats", 3, "--json", report, "--plots", plots]
    assert run(evaluate, *options) == 0
    data = json.loads(report.read_text())
    assert data["verification"]["right_at_threshold"] == 23 and data["verification"]["eer"] == 0
    two = data["open_set"]["enrolled"]["2"]
    assert two["at_far"]["named"] == 1 and two["at_far"]["false_accepts"] == 0 and two["known_trials"] == 30
    assert {path.name for path in plots.iterdir()} == {"roc.png", "scores.png", "open_set.png"}
    out = capsys.readouterr().out
    assert "23 of 23 pairs" in out and "recommended: recognition.enter" in out


def test_people_from_a_csv_file_and_suspect_labels(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["image,identity"]
    rows += [
        f"{name}/{i}.png,{'mixed' if name in ('anna', 'dora') else name}" for name in list(HUES)[:5] for i in range(4)
    ]
    rows += ["bert/gone.png,bert"]
    table = people / "identities.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    assert run(evaluate, "--people", table, "--repeats", 2) == 0
    text = capsys.readouterr()
    assert "mixed: the photos look like 2 people" in text.out and text.err.count("gone.png") == 1
    assert run(evaluate, "--people", table, "--repeats", 2, "--split") == 0
    assert "5 people, 20 photos" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "a,b,c", "a,b\n1,2", "a,b,c\nx.png,y.png,Yes", "\x00\xff"])
def test_tables_that_make_no_sense_are_one_line(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text.encode("latin-1"))
    assert run(evaluate, "--pairs", path) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_people_that_cannot_be_evaluated(tmp_path: Path, people: Path) -> None:
    assert run(evaluate, "--people", tmp_path / "absent.csv") == 2
    assert run(evaluate, "--people", people / "anna") == 2
    assert run(evaluate, "--people", people, "--enrol", 9) == 2
    with pytest.raises(SystemExit):
        evaluate.main(["--people", str(people), "--far", "2"])
