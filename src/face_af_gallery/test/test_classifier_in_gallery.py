"""A gallery that names people by a classifier, and has it trained again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.classifier import Classifier
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Chip
from face_af_gallery.retraining import Retrainer, pack, run
from face_af_gallery.training import Options, training_set
from face_af_gallery.training_set import TrainingSet

sys.path.insert(0, str(Path(__file__).parent))
from made_up_people import SingleModel, people


class Plain(SingleModel):
    """A model whose embeddings are given."""

    model_id, dimension = "plain:1", 64
    threshold, strangers, lead = 0.42, 0.0, 0.0

    def embed(self, bgr: np.ndarray, landmarks: Sequence[np.ndarray], flip: bool = False) -> np.ndarray:
        raise AssertionError("every sample has its embedding")


def filled(folder: Path, data: TrainingSet) -> Gallery:
    gallery = Gallery.open(folder, Plain(), create=True)  # type: ignore[arg-type]
    add(gallery, data)
    gallery.save()
    return gallery


def add(gallery: Gallery, data: TrainingSet, first: str = "a") -> None:
    for number, (row, owner) in enumerate(zip(data.rows, data.owners, strict=True)):
        picture = np.zeros((256, 256, 3), np.uint8)
        picture[0, 0] = number, owner, ord(first)
        gallery.add(chr(ord(first) + int(owner)), Chip(picture, np.zeros((5, 2), np.float32)), row, 1.0)


def trained(gallery: Gallery, method: str = "mean") -> Classifier:
    gallery.training = Options(method).to_text()
    made = run(pack(gallery))
    assert gallery.use(made, Options(method).to_text())
    return made


def test_a_gallery_names_by_its_classifier_until_it_changes(tmp_path: Path) -> None:
    data = people([12] * 4, noise=1.6)
    gallery = filled(tmp_path, data)
    before = gallery.scores(data.rows)
    node = Gallery.open(tmp_path, Plain())  # type: ignore[arg-type]
    trained(gallery)
    assert node.changed_on_disk()
    node.reload()
    assert node.classifier is not None and node.classifier.method == "mean" and not node.changed_on_disk()
    after = node.scores(data.rows)
    assert after == pytest.approx(gallery.scores(data.rows), abs=1e-5) and np.abs(after - before).max() > 0.05
    assert (after <= before + gallery.threshold - gallery.floor + 1e-5).all()
    add(node, people([1], seed=8), "z")
    assert node.classifier is None  # older than the gallery: the nearest sample again
    node.save()
    assert (tmp_path / "classifier-plain-1.npz").exists()
    node.remove("a")
    node.save()
    assert not (tmp_path / "classifier-plain-1.npz").exists() and (tmp_path / "training.json").exists()
    gallery.reload()
    gallery.use(None, "")
    assert not (tmp_path / "training.json").exists()


def test_a_classifier_is_trained_again_by_itself(tmp_path: Path) -> None:
    gallery = filled(tmp_path, people([6] * 4))
    trained(gallery, "svm")
    retrainer = Retrainer()
    retrainer.tend(gallery)
    assert not retrainer.wait(0.0)  # nothing to do
    add(gallery, people([6], seed=8), "z")
    gallery.save()
    retrainer.tend(gallery)
    assert retrainer.wait(60)
    assert gallery.classifier is None
    retrainer.tend(gallery)
    assert gallery.classifier is not None and gallery.classifier.names == ("a", "b", "c", "d", "z")
    assert Gallery.open(tmp_path, Plain()).classifier is not None  # type: ignore[arg-type]
    assert not retrainer.problem


def test_what_cannot_be_trained_again_is_said_once(tmp_path: Path) -> None:
    gallery = filled(tmp_path, people([4] * 2))
    trained(gallery, "svm")
    gallery.remove("a")
    gallery.save()
    retrainer = Retrainer()
    retrainer.tend(gallery)
    assert retrainer.wait(60)
    retrainer.tend(gallery)
    assert "one person only" in retrainer.problem and "\n" not in retrainer.problem
    assert gallery.scores(people([1]).rows).shape == (1, 1)
    gallery.training = Options("svm", copies=2).to_text()
    add(gallery, people([2], seed=8), "z")
    retrainer.tend(gallery)
    assert "changed copies" in retrainer.problem


def test_a_face_that_is_marked_as_somebody_else_keeps_being_so(tmp_path: Path) -> None:
    data = people([8] * 3)
    gallery = filled(tmp_path, data)
    double = data.rows[0] + 0.01
    gallery.add(
        "a", Chip(np.full((256, 256, 3), 9, np.uint8), np.zeros((5, 2), np.float32)), double, 1.0, negative=True
    )
    gallery.save()
    trained(gallery)
    assert gallery.scores(double[None])[0, 0] < gallery.threshold
    assert training_set(gallery.samples(), np.stack([gallery.embedding(s) for s in gallery.samples()]))[1].people == 3
