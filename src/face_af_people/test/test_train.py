"""train on made-up people, and on real photographs where there are some (FACE_AF_TEST_FACES)."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from face_af_people import enrol, train
from face_af_people.augmentation import changed

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, analyser, photo, run

FACES = Path(os.environ.get("FACE_AF_TEST_FACES", ""))


@pytest.fixture(autouse=True)
def fake_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real" not in request.node.name:
        for tool in (enrol, train):
            monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    for name in list(HUES)[:5]:
        for number, light in enumerate((120, 160, 200, 240)):
            photo(tmp_path / "people" / name / f"{number}.png", (name, 180), light=light)
    assert run(enrol, "--gallery", tmp_path / "g", tmp_path / "people") == 0
    return tmp_path / "g"


@pytest.mark.parametrize("method", ["mean", "svm-pairs"])
def test_train_and_take_it_back(method: str, gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(train, gallery, "--method", method, "--copies", 1) == 0
    out = capsys.readouterr().out
    assert f"used: {method} ({method} was asked for)" in out and "5 people, 20 photographs" in out
    report = json.loads((gallery / "derived" / "training" / "report.json").read_text())
    assert report["methods"][method]["named"] > 0.9 and report["methods"][method]["people"]["anna"]["right"] > 0
    assert (gallery / "derived" / "training" / f"confusion-{method}.png").stat().st_size > 1000
    assert list(gallery.glob("classifier-*.npz")) and (gallery / "training.json").exists()
    assert run(train, gallery, "--method", "nearest") == 0
    assert not list(gallery.glob("classifier-*.npz")) and not (gallery / "training.json").exists()
    run(train, gallery)
    assert run(enrol, "--gallery", gallery, "--remove", "anna") == 0
    assert not (gallery / "derived").exists() and not list(gallery.glob("classifier-*.npz"))


def test_a_training_by_epochs_that_was_killed_goes_on(
    gallery: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from face_af_gallery.softmax_training import SoftmaxTraining

    before = {path.name for path in gallery.iterdir()}
    epoch = SoftmaxTraining.one_epoch

    def killed(self: SoftmaxTraining) -> None:
        if self.epoch == 3:
            raise KeyboardInterrupt
        epoch(self)

    with monkeypatch.context() as patched:
        patched.setattr(SoftmaxTraining, "one_epoch", killed)
        assert run(train, gallery, "--method", "softmax") == 130
    assert "--resume goes on" in capsys.readouterr().err
    assert {path.name for path in gallery.iterdir()} == before | {"derived"}
    assert run(train, gallery, "--method", "softmax", "--resume") == 0
    assert "going on after epoch 3" in capsys.readouterr().out
    assert (gallery / "derived" / "training" / "learning_curves.png").exists()
    shutil.copytree(gallery / "derived" / "training", gallery.parent / "other")
    run(enrol, "--gallery", gallery, "--remove", "anna")
    assert run(train, gallery, "--method", "softmax", "--resume", "--report", gallery.parent / "other") == 2
    err = capsys.readouterr().err
    assert "another gallery, or of this one before it was changed" in err and err.count("\n") == 1


def test_mistakes_are_one_line(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = tmp_path / "one"
    run(enrol, "--gallery", one, "--name", "anna", tmp_path / "people" / "anna")
    capsys.readouterr()
    for arguments, word in (
        ([tmp_path / "absent"], "there is no gallery"),
        ([one, "--method", "svm"], "one person only"),
        ([one, "--method", "softmax"], "one person only"),
        ([gallery, "--resume"], "--resume is for"),
        ([gallery, "--method", "softmax", "--resume"], "checkpoint.npz: cannot be read"),
        ([gallery, "--copies", "-1"], "--copies must be"),
        ([gallery, "--method", "softmax", "--batch", "0"], "must be above 0"),
    ):
        assert run(train, *arguments) == 2
        err = capsys.readouterr().err
        assert word in err and err.count("\n") == 1, err
    assert run(train, one) == 0
    assert "one person only: nothing to tell apart" in capsys.readouterr().out


def test_changed_copies_are_of_the_same_face(gallery: Path) -> None:
    from face_af_gallery.gallery import Gallery

    opened = Gallery.open(gallery, analyser().embedder)
    sample = opened.samples("bert")[0]
    chip = opened.chip(sample)
    assert chip is not None
    rng = np.random.default_rng(1)
    turned = set()
    for _ in range(12):
        copy = changed(chip, rng)
        eyes = copy.landmarks[1] - copy.landmarks[0]
        turned.add(round(float(np.degrees(np.arctan2(eyes[1], eyes[0])))))
        assert eyes[0] > 0 and not np.array_equal(copy.picture, chip.picture)
        row = opened.embedder.embed(copy.picture, [copy.landmarks])
        assert opened.match(row)[0].identity == "bert"
    assert len(turned) > 3 and max(map(abs, turned)) <= 9


def test_real_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not os.environ.get("FACE_AF_TEST_FACES") or not (FACES / "identities.csv").is_file():
        pytest.skip("no photographs (FACE_AF_TEST_FACES)")
    rows = [line.split(",") for line in (FACES / "identities.csv").read_text().splitlines()[1:]]
    for image, name in rows:
        if name in ("person_01", "person_02", "person_03", "person_10"):
            folder = tmp_path / "people" / name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(FACES / image, folder)
    assert run(enrol, "--gallery", tmp_path / "g", "--largest", tmp_path / "people") == 0
    assert run(train, tmp_path / "g", "--method", "svm") == 0
    report = json.loads((tmp_path / "g" / "derived" / "training" / "report.json").read_text())
    for method in ("nearest", "mean", "svm", "logistic"):
        figures = report["methods"][method]
        assert figures["named"] >= 0.9 and figures["misnamed"] == 0 and figures["strangers_named"] == 0
