"""Looking after the gallery, and following a face whoever it is, in the small world of colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from face_af_common.params import build
from face_af_common.types import Box
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_perception import gallery_desk as desk
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.params import PerceptionNodeParams
from face_af_perception.pipeline import FacePipeline

Portrait = Callable[[str], tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def gallery(analyser: FaceAnalyser, portrait: Portrait, tmp_path: Path) -> Gallery:
    gallery = Gallery.open(tmp_path / "gallery", analyser.embedder, create=True)
    for name in ("anna", "bert"):
        picture, points = portrait(name)
        row = analyser.embedder.embed(picture, [points])[0]
        gallery.add(name, analyser.chip(picture, points), row, 0.9)
    gallery.save()
    return gallery


def test_who_is_there_and_who_looks_like_whom(gallery: Gallery) -> None:
    entries = desk.people(gallery)
    assert [(e.name, e.samples, e.negatives) for e in entries] == [("anna", 1, 0), ("bert", 1, 0)]
    assert [e.nearest.name for e in entries] == ["bert", "anna"]
    assert all(e.nearest.similarity < gallery.threshold for e in entries)
    ((sample, alike),) = desk.person(gallery, "anna").faces
    assert sample.identity == "anna" and alike == entries[0].nearest
    with pytest.raises(GalleryError, match="nobody called 'zoe'"):
        desk.person(gallery, "zoe")


def test_a_photograph_is_shown_before_it_is_kept(scene, analyser: FaceAnalyser, gallery: Gallery) -> None:
    scene.places = {"cleo": Box(100, 80, 60, 60)}
    seen = desk.add_photograph(analyser, gallery, "cleo", scene.frame(), preview=True)
    assert seen.sample_id == "" and seen.chip.shape == (256, 256, 3) and len(gallery) == 2
    added = desk.add_photograph(analyser, gallery, "cleo", scene.frame(), preview=False)
    again = Gallery.open(gallery.folder or "", analyser.embedder)
    assert [sample.id for sample in again.samples("cleo")] == [added.sample_id]


def test_doubts_are_told(scene, analyser: FaceAnalyser, gallery: Gallery) -> None:
    scene.places = {"bert": Box(100, 80, 60, 60)}
    assert desk.add_photograph(analyser, gallery, "otto", scene.frame(), True).doubt == "this looks like bert"
    scene.places = {"cleo": Box(100, 80, 60, 60)}
    assert "does not look like" in desk.add_photograph(analyser, gallery, "anna", scene.frame(), True).doubt
    scene.places = {}
    with pytest.raises(GalleryError, match="no face"):
        desk.add_photograph(analyser, gallery, "otto", scene.frame(), True)


def test_what_is_removed_is_gone_from_the_disk(analyser: FaceAnalyser, gallery: Gallery) -> None:
    (sample,) = gallery.samples("anna")
    with pytest.raises(GalleryError, match="no such face"):
        desk.remove(gallery, "bert", sample.id)
    desk.remove(gallery, "anna", sample.id)
    assert Gallery.open(gallery.folder or "", analyser.embedder).names == ["bert"]
    assert "bert is removed" in desk.remove(gallery, "bert")
    with pytest.raises(GalleryError, match="nobody called 'bert'"):
        desk.remove(gallery, "bert")


def test_a_face_is_followed_whoever_it_is_until_somebody_is_named(
    scene, analyser: FaceAnalyser, gallery: Gallery
) -> None:
    params = build(PerceptionNodeParams, {"target": "anna", "recognition.per_frame": 2})
    pipeline = FacePipeline(params, analyser, gallery)
    scene.places = {"anna": Box(100, 80, 60, 60), "cleo": Box(300, 80, 60, 60)}
    faces = pipeline.process(scene.frame(), 0.0)
    stranger = next(face for face in faces if not face.identity)
    assert pipeline.knows(stranger.track_id) and not pipeline.knows(stranger.track_id + 100)
    pipeline.followed = stranger.track_id
    for number in range(1, 10):
        scene.places["cleo"] = Box(300 + 5 * number, 80, 60, 60)
        faces = pipeline.process(scene.frame(), number / 30)
        assert [face.track_id for face in faces if face.is_target] == [stranger.track_id]
    pipeline.use(params)
    assert pipeline.followed == stranger.track_id, "another parameter changes nothing"
    pipeline.use(build(PerceptionNodeParams, {"target": "bert", "recognition.per_frame": 2}))
    assert pipeline.followed == 0
