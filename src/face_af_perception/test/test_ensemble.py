"""Several embedders as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from face_af_common.params import build
from face_af_common.types import Box
from face_af_gallery.calibration import Calibration
from face_af_gallery.gallery import Gallery
from face_af_gallery.matching import similarity
from face_af_inference.ensembles import EnsembleEntry, UpperEntry
from face_af_inference.runtimes import ModelError
from face_af_perception import ensemble
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.embedders import Embedder
from face_af_perception.ensemble import Ensemble, UpperHalves, open_face_model
from face_af_perception.params import PerceptionNodeParams
from face_af_perception.pipeline import FacePipeline
from face_af_perception.unmasking import Unmasking

MakeEmbedder = Callable[..., Embedder]


@pytest.fixture
def pair(make_embedder: MakeEmbedder) -> Ensemble:
    return Ensemble([make_embedder("one"), make_embedder("two", calibration=(40.0, -10.0))], 10.0, 0.3)


def test_the_similarity_of_rows_is_the_calibrated_sum(pair: Ensemble) -> None:
    random = np.random.default_rng(0)
    parts = [random.standard_normal((6, m.dimension)).astype(np.float32) for m in pair.members]
    parts = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    rows = pair.joined(parts)
    assert rows.shape == (6, pair.dimension)
    sums = sum(m.calibration.log_odds(similarity(p, p)) for m, p in zip(pair.members, parts, strict=True))
    alike = similarity(rows, rows)
    order = np.argsort(sums, axis=None)
    assert np.allclose(np.diff(alike.ravel()[order]) >= -1e-5, True)
    assert np.polyfit(sums.ravel(), alike.ravel(), 1, full=True)[1][0] < 1e-6  # straight
    assert np.allclose(np.diag(alike), 1, atol=1e-5)
    for again, part in zip(pair.parts(rows), parts, strict=True):
        assert np.allclose(again, part, atol=1e-6)


def test_a_gallery_keeps_each_models_embeddings_and_serves_single_models_too(
    tmp_path: Path, pair: Ensemble, portrait: Callable[[str], tuple[np.ndarray, np.ndarray]], analyser: FaceAnalyser
) -> None:
    gallery = Gallery.open(tmp_path / "g", pair, create=True)
    for name in ("anna", "bert"):
        picture, points = portrait(name)
        gallery.add(name, analyser.chip(picture, points), pair.embed(picture, [points], flip=True)[0], 1.0)
    gallery.save()
    assert len(list((tmp_path / "g").glob("embeddings-*.npz"))) == 2
    for member in pair.members:
        batches = len(member.runner.batches)  # type: ignore[attr-defined]
        assert Gallery.open(tmp_path / "g", member).names == ["anna", "bert"]
        assert len(member.runner.batches) == batches  # type: ignore[attr-defined]  # nothing is embedded again
    picture, points = portrait("anna")
    assert Gallery.open(tmp_path / "g", pair).match(pair.embed(picture, [points]))[0].identity == "anna"


def test_a_clear_face_is_mostly_seen_by_the_first_model_alone(
    pair: Ensemble, scene: Any, analyser: FaceAnalyser, portrait: Callable[[str], tuple[np.ndarray, np.ndarray]]
) -> None:
    analyser = FaceAnalyser(analyser.detector, pair)
    gallery = Gallery(None, pair)
    picture, points = portrait("anna")
    gallery.add("anna", analyser.chip(picture, points), pair.embed(picture, [points])[0], 1.0)
    scene.places = {"anna": Box(100, 100, 112, 112)}
    pipeline = FacePipeline(build(PerceptionNodeParams, {}).repeatable(), analyser, gallery)
    first, second = (member.runner.batches for member in pair.members)
    first.clear(), second.clear()
    for i in range(300):
        faces = pipeline.process(scene.frame(), i / 30)
    assert faces[0].identity == "anna"
    assert len(first) > 30 and 3 <= len(second) < len(first) / 2


def test_an_ensemble_names_the_people_of_photographs(test_faces: Path, models: FaceAnalyser) -> None:
    """One photograph each; every other photograph of four people, and nobody else, gets the name."""
    people = {"a": (1, [2, 4, 5]), "b": (3, [12, 53]), "c": (8, [9, 47]), "d": (13, [14, 15])}
    gallery = Gallery(None, models.embedder)

    def face(number: int) -> tuple[np.ndarray, object]:
        picture = np.asarray(cv2.imread(str(test_faces / f"img{number}.jpg")), np.uint8)
        return picture, models.analyse(picture)[0]

    for name, (number, _) in people.items():
        models.enrol(gallery, name, *face(number))  # type: ignore[arg-type]
    for name, (_, others) in people.items():
        for number in others:
            match = gallery.match(face(number)[1].embedding[None])[0]  # type: ignore[attr-defined]
            assert (match.identity, match.similarity >= gallery.threshold) == (name, True), number
    for number in (18, 20, 22, 24, 38):
        match = gallery.match(face(number)[1].embedding[None])[0]  # type: ignore[attr-defined]
        assert match.similarity < gallery.threshold, number


def test_where_one_member_knows_no_upper_halves_the_other_compares_masked_faces_alone() -> None:
    class Member:
        lead, strangers, dimension, model_id, name, runtime = 0.0, 0.0, 8, "m:1", "m", "none"
        calibration = Calibration(10.0, -4.0)

        def __init__(self, upper: object) -> None:
            self.upper = upper

    half: Any = Member(None)
    half.model_id = "half"
    alone = Ensemble([Member(None), Member(half)], 4.0, upper=UpperEntry(5.0))  # type: ignore[list-item]
    assert alone.upper is half
    assert Ensemble([Member(None), Member(None)], 4.0, upper=UpperEntry(5.0)).upper is None  # type: ignore[list-item]
    both = Ensemble([Member(half), Member(half)], 4.0, upper=UpperEntry(5.0)).upper  # type: ignore[list-item]
    assert isinstance(both, Ensemble) and len(both.members) == 2


HALF = (0.5, 0.1, 20.0, -6.0)


def of_halves(make_embedder: MakeEmbedder, whole: float) -> Ensemble:
    two = [make_embedder("one", upper=HALF), make_embedder("two", calibration=(40.0, -10.0), upper=HALF)]
    return Ensemble(two, 10.0, 0.3, [1.0, 0.6], UpperEntry(9.0, whole, masked=3.0))


def test_a_share_of_what_the_whole_face_says_is_added_to_its_upper_half(
    make_embedder: MakeEmbedder, portrait: Callable[[str], tuple[np.ndarray, np.ndarray]]
) -> None:
    pair = of_halves(make_embedder, 0.5)
    upper = pair.upper
    assert upper is not None
    one, two = pair.members
    calibrations = [
        Calibration(20.0, -6.0),
        Calibration(20.0, -6.0).weighed(0.6),
        one.calibration.weighed(0.5),
        two.calibration.weighed(0.5 * 0.6),
    ]
    photographs = [portrait(name) for name in ("anna", "bert", "cleo")]
    rows = np.concatenate([pair.embed(picture, [points]) for picture, points in photographs])
    halves = np.concatenate(
        [pair.embed_upper(p, [points], row[None]) for (p, points), row in zip(photographs, rows, strict=True)]
    )
    for part, whole in zip(upper.parts(halves)[2:], pair.parts(rows), strict=True):
        assert np.allclose(part, whole, atol=1e-6)
    sums = sum(c.log_odds(similarity(part, part)) for c, part in zip(calibrations, upper.parts(halves), strict=True))
    slope, error = np.polyfit(np.ravel(sums), similarity(halves, halves).ravel(), 1, full=True)[:2]
    assert error[0] < 1e-6  # straight
    assert upper.masked_less == pytest.approx(3.0 * slope[0], rel=1e-3)


def test_whole_faces_behind_masks_count_as_they_are_guessed_to_be(
    make_embedder: MakeEmbedder,
    portrait: Callable[[str], tuple[np.ndarray, np.ndarray]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = make_embedder("one", upper=HALF), make_embedder("two", upper=HALF)
    size, known = one.dimension, (one.model_id, two.model_id)
    swapped = np.zeros((4 * size, 2 * size), np.float32)  # the whole by one is guessed from the half by two, and so on
    swapped[size : 2 * size, :size] = swapped[:size, size:] = 2 * np.eye(size)
    monkeypatch.setattr(
        ensemble,
        "unmasking_for",
        lambda models: (
            Unmasking(known, (size, size), swapped, np.zeros(2 * size, np.float32)) if tuple(models) == known else None
        ),
    )
    pair = Ensemble([one, two], 10.0, 0.3, upper=UpperEntry(9.0, whole=2.0, margin=0.1, unmasking=True))
    upper = pair.upper
    assert isinstance(upper, UpperHalves) and upper.margin == 0.1
    picture, points = portrait("anna")
    rows = pair.embed(picture, [points])
    as_it_is = upper.parts(pair.embed_upper(picture, [points], rows))
    guessed = upper.parts(pair.embed_masked(picture, [points], rows))
    for part, expected in zip(guessed, [*as_it_is[:2], *as_it_is[1::-1]], strict=True):
        assert np.allclose(part, expected, atol=1e-6)
    other = Ensemble([one, make_embedder("three", upper=HALF)], 10.0, 0.3, upper=UpperEntry(9.0, 2.0, unmasking=True))
    assert other.upper is one.upper, "nobody has fitted these two"


@pytest.mark.parametrize("entry", [EnsembleEntry("a+b", 1e3), EnsembleEntry("a+b", 10.0, upper=UpperEntry(1e3))])
def test_a_threshold_that_no_two_faces_reach_is_refused_when_the_models_are_opened(
    make_embedder: MakeEmbedder, monkeypatch: pytest.MonkeyPatch, entry: EnsembleEntry
) -> None:
    names = iter("ab")
    monkeypatch.setattr(ensemble, "open_embedder", lambda spec: make_embedder(next(names), upper=HALF))
    with pytest.raises(ModelError, match=r"^a\+b: the threshold 1000"):
        open_face_model([None, None], entry)  # type: ignore[list-item]


def test_a_gallery_with_upper_halves_of_before_needs_nothing_embedded_again(
    tmp_path: Path,
    make_embedder: MakeEmbedder,
    portrait: Callable[[str], tuple[np.ndarray, np.ndarray]],
    analyser: FaceAnalyser,
) -> None:
    before = of_halves(make_embedder, 0.0)
    gallery = Gallery.open(tmp_path / "g", before, create=True)
    for name in ("anna", "bert"):
        picture, points = portrait(name)
        gallery.add(name, analyser.chip(picture, points), before.embed(picture, [points], flip=True)[0], 1.0)
    gallery.save()
    assert gallery.upper is not None and before.upper is not None and len(before.upper.members) == 2
    kept = {path.name: path.read_bytes() for path in (tmp_path / "g").glob("embeddings-*.npz")}
    assert len(kept) == 4

    now = of_halves(make_embedder, 0.5)
    batches = [len(member.runner.batches) for member in now.members]  # type: ignore[attr-defined]
    upper = Gallery.open(tmp_path / "g", now).upper
    assert upper is not None and upper.names == ["anna", "bert"]
    assert [len(member.runner.batches) for member in now.members] == batches  # type: ignore[attr-defined]
    assert {path.name: path.read_bytes() for path in (tmp_path / "g").glob("embeddings-*.npz")} == kept
    picture, points = portrait("anna")
    half = now.embed_upper(picture, [points], now.embed(picture, [points]))
    assert upper.match(half)[0].identity == "anna"
