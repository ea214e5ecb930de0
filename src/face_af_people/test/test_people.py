"""The gallery's daily work, on made-up people."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.voices import VoiceGallery
from face_af_people import enrol, people

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import analyser, photo


@pytest.fixture(autouse=True)
def fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in (enrol, people):
        monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    for name in ("anna", "bert", "cleo"):
        for number, light in enumerate((140, 200, 240)):
            photo(tmp_path / "people" / name / f"{number}.png", (name, 180), light=light)
    assert enrol.main(["--gallery", str(tmp_path / "g"), str(tmp_path / "people")]) == 0
    # what training, maps and the like leave behind
    (tmp_path / "g" / "derived").mkdir()
    (tmp_path / "g" / "derived" / "map.html").write_text("anna")
    (tmp_path / "g" / "classifier-hue.npz").write_bytes(b"anna")
    return tmp_path / "g"


def run(gallery: Path, command: str, *arguments: object) -> int:
    return people.main([command, *map(str, arguments), "--gallery", str(gallery)])


def samples(gallery: Path) -> dict[str, set[str]]:
    data = json.loads((gallery / "gallery.json").read_text())["people"]
    found = {name: {entry["id"] for entry in entries} for name, entries in data.items()}
    chips = {path.stem for path in (gallery / "chips").glob("*.png")}
    assert chips == {key for keys in found.values() for key in keys}
    return found


def derived(gallery: Path) -> bool:
    return (gallery / "derived").exists() or (gallery / "classifier-hue.npz").exists()


def test_rename_leaves_no_trace_of_the_old_name(gallery: Path, tmp_path: Path) -> None:
    before = samples(gallery)
    VoiceGallery.open(gallery, "m", create=True).add("anna", np.ones(4, np.float32), 5.0)
    assert run(gallery, "rename", "anna", "Änne") == 0
    assert VoiceGallery.open(gallery, "m").names == ["Änne"]
    after = samples(gallery)
    assert set(after) == {"Änne", "bert", "cleo"} and len(after["Änne"]) == 3
    assert not before["anna"] & after["Änne"] and not derived(gallery)
    # the same photographs enrolled again are the same samples
    assert enrol.main(["--gallery", str(gallery), "--name", "Änne", str(tmp_path / "people" / "anna")]) == 0
    assert samples(gallery) == after


def test_merge_and_move(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = min(samples(gallery)["anna"])
    assert run(gallery, "move", one[:10], "bert") == 0
    assert {name: len(keys) for name, keys in samples(gallery).items()} == {"anna": 2, "bert": 4, "cleo": 3}
    assert not derived(gallery)
    assert run(gallery, "merge", "anna", "bert") == 0
    assert {name: len(keys) for name, keys in samples(gallery).items()} == {"bert": 6, "cleo": 3}
    capsys.readouterr()
    assert run(gallery, "show", "bert") == 0
    assert capsys.readouterr().out.count("nearest other cleo") == 6


def test_one_sample_goes_without_a_trace(gallery: Path) -> None:
    one = min(samples(gallery)["cleo"])
    assert run(gallery, "remove", one) == 0
    assert one not in samples(gallery)["cleo"] and not derived(gallery)
    for path in gallery.rglob("*"):
        assert path.is_dir() or one.encode() not in path.read_bytes()


def test_a_person_is_handed_on(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "anna.zip"
    assert run(gallery, "export", "anna", target) == 0
    assert target.stat().st_mode & 0o077 == 0 and derived(gallery)
    with zipfile.ZipFile(target) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".png", ".json"}
    assert run(gallery, "import", target) == 0
    assert "0 samples are new, 3 were there already" in capsys.readouterr().out
    assert run(tmp_path / "new", "import", target, "--as", "annie") == 0
    assert {name: len(keys) for name, keys in samples(tmp_path / "new").items()} == {"annie": 3}


def test_a_damaged_export_changes_nothing(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.zip"
    run(gallery, "export", "anna", good)
    before = samples(gallery)
    about = json.loads(zipfile.ZipFile(good).read("person.json"))
    wrong = [
        about | {"format": 9},
        about | {"name": "a\nb"},
        about | {"samples": [{"id": "../../x"}]},
        [],
        {"format": 1},
    ]
    broken = [b"", b"PK", good.read_bytes()[:-300]]
    for number, content in enumerate([*wrong, *broken]):
        path = tmp_path / f"{number}.zip"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("person.json", json.dumps(content))
        capsys.readouterr()
        assert run(gallery, "import", path) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "not a person that was exported" in err
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", b" " * 50_000_000)
    assert run(gallery, "import", bomb) == 2
    assert samples(gallery) == before


def test_mistakes_are_one_line_and_change_nothing(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (gallery / "gallery.json").read_bytes()
    for arguments, word in (
        (("rename", "nobody", "x"), "there is no nobody"),
        (("rename", "anna", "bert"), "`people merge` makes one person"),
        (("rename", "anna", "a\nb"), "cannot be a name"),
        (("rename", "anna", "anna"), "this name already"),
        (("merge", "anna", "nobody"), "there is no nobody"),
        (("merge", "anna", "anna"), "with itself"),
        (("move", "zz", "anna"), "no sample 'zz'"),
        (("remove", ""), "no sample"),
        (("export", "nobody", "x.zip"), "there is no nobody"),
        (("import", "absent.zip"), "cannot be read"),
        (("show", "nobody"), "there is no nobody"),
    ):
        capsys.readouterr()
        assert run(gallery, *arguments) == 2
        err = capsys.readouterr().err
        assert word in err and err.count("\n") == 1, err
    assert (gallery / "gallery.json").read_bytes() == before and derived(gallery)


def test_a_photograph_with_a_mask_stays_one_wherever_it_goes(gallery: Path, tmp_path: Path) -> None:
    masked = photo(tmp_path / "masked.png", ("anna", 170), light=170)
    assert enrol.main(["--gallery", str(gallery), "--name", "anna", "--masked", str(masked)]) == 0
    assert run(gallery, "export", "anna", tmp_path / "anna.zip") == 0
    assert run(gallery, "rename", "anna", "zoe") == 0
    assert run(gallery, "import", tmp_path / "anna.zip") == 0
    data = json.loads((gallery / "gallery.json").read_text())["people"]
    for name in ("zoe", "anna"):
        assert sum(bool(entry.get("masked")) for entry in data[name]) == 1, name
