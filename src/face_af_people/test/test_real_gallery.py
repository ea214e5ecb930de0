"""The gallery's commands one after the other on real photographs (FACE_AF_TEST_FACES), with the embedded models."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from face_af_common.paths import model_dirs
from face_af_inference.runtimes import ModelError
from face_af_people import enrol, identify, map, people, train
from face_af_perception.analyser import FaceAnalyser

FACES = Path(os.environ.get("FACE_AF_TEST_FACES", "") or "/nonexistent")
MOST = 3


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    """The embedded models, opened once for all tools."""
    try:
        analyser = FaceAnalyser.open("centerface", "dlib", model_dirs=model_dirs())
    except ModelError as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        for tool in (enrol, identify, map, people, train):
            patch.setattr(tool, "open_analyser", lambda options: analyser)
        yield


@pytest.fixture(scope="module")
def photos() -> dict[str, list[Path]]:
    """Of three people three photographs to enrol, and one to be identified, the last."""
    if not (FACES / "identities.csv").is_file():
        pytest.skip("no photographs (FACE_AF_TEST_FACES)")
    found: dict[str, list[Path]] = {}
    with (FACES / "identities.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["identity"] != "person_11":  # two men under one name
                found.setdefault(row["identity"], []).append(FACES / row["image"])
    chosen = sorted(name for name, paths in found.items() if len(paths) > MOST)[:3]
    return {name: found[name][: MOST + 1] for name in chosen}


@pytest.fixture(scope="module")
def enrolled(photos: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    for name, paths in photos.items():
        (folder / "in" / name).mkdir(parents=True)
        for path in paths[:MOST]:
            shutil.copy(path, folder / "in" / name)
    assert enrol.main(["--gallery", str(folder / "g"), "--largest", str(folder / "in")]) == 0
    return folder / "g"


@pytest.fixture
def gallery(enrolled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(enrolled, tmp_path / "g"))


def test_photographs_of_another_day_are_named(photos: dict[str, list[Path]], gallery: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.jpg"
    probes = [str(paths[MOST]) for paths in photos.values()]
    options = ["--gallery", str(gallery), "--json", str(out), "--sheet", str(sheet)]
    assert identify.main([*options, *probes]) == 0
    found = json.loads(out.read_text())
    for name, paths in photos.items():
        assert found[str(paths[MOST])][0]["identity"] == name
    assert sheet.is_file()


def test_a_classifier_is_trained(gallery: Path) -> None:
    assert train.main([str(gallery), "--method", "svm"]) == 0
    report = json.loads((gallery / "derived" / "training" / "report.json").read_text())
    assert report["used"] == "svm" and report["people"] == 3 and report["methods"]["svm"]["misnamed"] == 0


def test_a_sample_under_the_wrong_name_stands_out_on_the_map(
    photos: dict[str, list[Path]], gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = photos
    place = ["--gallery", str(gallery)]
    assert people.main(["show", first, *place]) == 0
    sample = capsys.readouterr().out.split()[0]
    assert people.main(["export", first, str(tmp_path / "first.zip"), *place]) == 0
    assert people.main(["move", sample, second, *place]) == 0
    assert map.main([str(gallery)]) == 0
    wrong = json.loads((gallery / "derived" / "map.json").read_text())["outliers"]
    assert [entry["person"] for entry in wrong] == [second] and wrong[0]["other"] == first
    assert people.main(["import", str(tmp_path / "first.zip"), "--as", "again", *place]) == 0
    assert people.main(["show", "again", *place]) == 0
