from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from face_af_common.params import ParamError, build
from face_af_common.types import Box, Face
from face_af_gallery.gallery import Gallery
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.params import PerceptionNodeParams
from face_af_perception.pipeline import FacePipeline

FRAME = 1 / 30
Portrait = Callable[[str], tuple[np.ndarray, np.ndarray]]


def params(**changes: object) -> PerceptionNodeParams:
    return build(PerceptionNodeParams, {name.replace("__", "."): value for name, value in changes.items()})


@pytest.fixture
def gallery(analyser: FaceAnalyser, portrait: Portrait) -> Gallery:
    gallery = Gallery(None, analyser.embedder)
    for name in ("anna", "bert"):
        picture, points = portrait(name)
        row = analyser.embedder.embed(picture, [points])[0]
        gallery.add(name, analyser.chip(picture, points), row, 0.9)
    return gallery


@pytest.fixture
def pipeline(analyser: FaceAnalyser, gallery: Gallery) -> FacePipeline:
    return FacePipeline(params(target="anna", recognition__per_frame=2), analyser, gallery)


def by_place(faces: list[Face]) -> dict[str, Face]:
    return {face.identity or "?": face for face in faces}


def test_the_target_is_named_on_its_first_frame(scene, pipeline: FacePipeline) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60), "bert": Box(300, 80, 60, 60)}
    faces = by_place(pipeline.process(scene.frame(), 0.0))
    assert faces["anna"].is_target and not faces["bert"].is_target
    assert faces["anna"].box == scene.places["anna"] and faces["anna"].similarity > 0.9


def test_a_stranger_has_no_name(scene, pipeline: FacePipeline) -> None:
    scene.places = {"cleo": Box(100, 80, 60, 60)}
    (face,) = pipeline.process(scene.frame(), 0.0)
    assert face.identity == "" and not face.is_target


def test_the_same_stamp_is_no_new_frame(scene, pipeline: FacePipeline) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60)}
    first = pipeline.process(scene.frame(), 1.0)
    assert pipeline.process(scene.frame(), 1.0) is first
    assert pipeline.analyser.detector.calls == 1


def test_a_stamp_that_jumps_back_is_a_new_scene(scene, pipeline: FacePipeline) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60)}
    (first,) = pipeline.process(scene.frame(), 9.0)
    (again,) = pipeline.process(scene.frame(), 1.0)
    assert again.track_id != first.track_id and again.identity == "anna"


def test_a_frame_embeds_no_more_faces_than_allowed_and_settled_ones_rarely(
    scene, analyser: FaceAnalyser, gallery: Gallery
) -> None:
    pipeline = FacePipeline(params(recognition__per_frame=1, recognition__refresh_s=4.0), analyser, gallery)
    scene.places = {name: Box(20 + 150 * i, 80, 60, 60) for i, name in enumerate(("anna", "bert", "cleo", "dora"))}
    batches = analyser.embedder.runner.batches
    batches.clear()
    for i in range(12):
        pipeline.process(scene.frame(), i * FRAME)
    assert batches == [1] * 12  # new ones first, each three times
    for i in range(12, 30):
        pipeline.process(scene.frame(), i * FRAME)
    assert len(batches) == 12
    for i in range(30, 60):
        pipeline.process(scene.frame(), i * FRAME)
    assert 14 <= len(batches) <= 18  # refreshed once a second
    assert [f.identity for f in pipeline.process(scene.frame(), 3.0)] == ["anna", "bert", "", ""]


def test_those_named_together_are_not_all_looked_at_again_together(
    scene, analyser: FaceAnalyser, gallery: Gallery
) -> None:
    pipeline = FacePipeline(params(recognition__per_frame=4), analyser, gallery)
    scene.places = {name: Box(20 + 150 * i, 80, 60, 60) for i, name in enumerate(("anna", "bert", "cleo", "dora"))}
    batches = analyser.embedder.runner.batches
    batches.clear()
    for i in range(60):
        pipeline.process(scene.frame(), i * FRAME)
    assert batches[:3] == [4, 4, 4]  # new ones at once, three times
    # then one a frame: two people by name four times a second, two strangers once
    assert set(batches[3:]) == {1} and 10 <= len(batches[3:]) <= 20


def test_new_faces_come_before_known_ones(scene, analyser: FaceAnalyser, gallery: Gallery) -> None:
    pipeline = FacePipeline(params(recognition__per_frame=1), analyser, gallery)
    scene.places = {"cleo": Box(20, 80, 60, 60)}
    pipeline.process(scene.frame(), 0.0)
    scene.places["anna"] = Box(300, 80, 60, 60)
    assert by_place(pipeline.process(scene.frame(), FRAME))["anna"].similarity > 0.9


def test_who_steps_into_a_hidden_persons_place_does_not_inherit_the_name(scene, pipeline: FacePipeline) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60)}
    for i in range(5):
        (anna,) = pipeline.process(scene.frame(), i * FRAME)
    scene.places = {}
    for i in range(5, 15):
        pipeline.process(scene.frame(), i * FRAME)
    scene.places = {"cleo": Box(104, 80, 60, 60)}
    (cleo,) = pipeline.process(scene.frame(), 15 * FRAME)
    assert cleo.identity == "" and cleo.track_id != anna.track_id
    scene.places["anna"] = Box(190, 80, 60, 60)
    faces = pipeline.process(scene.frame(), 16 * FRAME)
    assert [f.identity for f in faces] == ["", "anna"] and faces[1].track_id == anna.track_id


@pytest.mark.parametrize("gap", [1, 10, 28])
def test_a_crossing_with_occlusion_does_not_swap_names(scene, pipeline: FacePipeline, gap: int) -> None:
    """Anna walks behind Bert and comes out on the other side."""
    track: dict[str, set[int]] = {"anna": set(), "bert": set()}
    for i in range(60 + gap):
        x = 100 + 3 * i
        scene.places = {"anna": Box(x, 80, 60, 60), "bert": Box(220, 84, 60, 60)}
        middle = 40
        scene.hidden = {"anna"} if middle - gap / 2 <= i <= middle + gap / 2 else set()
        for face, name in zip(
            pipeline.process(scene.frame(), i * FRAME),
            [n for n in scene.places if n not in scene.hidden],
            strict=True,
        ):
            overlap = abs(x - 220) < 60
            if not overlap:
                assert face.identity == name, (i, face)
                track[name].add(face.track_id)
    assert len(track["anna"]) == 1 and len(track["bert"]) == 1


def test_the_name_is_kept_between_exit_and_enter(
    scene, analyser: FaceAnalyser, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = FacePipeline(params(recognition__enter=0.8, recognition__exit=0.5), analyser, gallery)
    scene.places = {"anna": Box(100, 80, 60, 60)}
    names = []
    for i, similarity in enumerate((0.7, 0.85, 0.6, 0.45, 0.7)):
        monkeypatch.setattr(gallery, "scores", lambda rows, s=similarity: np.array([[s, 0.1]] * len(rows), np.float32))
        pipeline.gallery = gallery
        names.append(pipeline.process(scene.frame(), i * FRAME)[0].identity)
    assert names == ["", "anna", "anna", "", ""]


def test_two_people_equally_alike_are_no_name(
    scene, pipeline: FacePipeline, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60)}
    monkeypatch.setattr(gallery, "scores", lambda rows: np.array([[0.9, 0.88]] * len(rows), np.float32))
    assert pipeline.process(scene.frame(), 0.0)[0].identity == ""


def test_another_target_and_a_grown_gallery_take_effect_at_once(
    scene, pipeline: FacePipeline, gallery: Gallery, portrait: Portrait
) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60), "cleo": Box(300, 80, 60, 60)}
    for i in range(6):
        pipeline.process(scene.frame(), i * FRAME)
    picture, points = portrait("cleo")
    gallery.add("cleo", pipeline.analyser.chip(picture, points), gallery.embedder.embed(picture, [points])[0], 1.0)
    pipeline.use(params(target="cleo"))
    faces = by_place(pipeline.process(scene.frame(), 6 * FRAME))
    assert faces["cleo"].is_target and not faces["anna"].is_target


def test_only_one_face_is_the_target(scene, analyser: FaceAnalyser, gallery: Gallery) -> None:
    pipeline = FacePipeline(params(target="anna"), analyser, gallery)
    scene.places = {"anna": Box(100, 80, 60, 60)}
    for i in range(4):
        (first,) = pipeline.process(scene.frame(), i * FRAME)
    # a second Anna: a screen that shows her
    twin = Box(400, 80, 60, 60)
    detections, frame = scene.detections(), scene.frame()
    scene.places = {"anna": twin}
    both = [*detections, *scene.detections()]
    frame = np.maximum(frame * 0, np.where(scene.frame() != 128, scene.frame(), frame))
    scene.detections = lambda: both
    faces = pipeline.process(frame, 4 * FRAME)
    assert [f.identity for f in faces] == ["anna", "anna"]
    assert [f.track_id for f in faces if f.is_target] == [first.track_id]


def test_the_same_frames_give_the_same_result_on_any_machine(
    scene, analyser: FaceAnalyser, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(speed: float) -> list[list[Face]]:
        clock = (i * speed for i in itertools.count())
        monkeypatch.setattr("face_af_perception.recognition.time", SimpleNamespace(perf_counter=lambda: next(clock)))
        pipeline = FacePipeline(params(target="bert").repeatable(), analyser, gallery)
        results = []
        for i in range(40):
            scene.places = {"anna": Box(10 + 10 * i, 80, 60, 60), "bert": Box(420 - 10 * i, 90, 60, 60)}
            results.append(pipeline.process(scene.frame(), i * FRAME))
        return results

    assert play(1e-4) == play(1.0)


def test_without_a_gallery_faces_are_followed_all_the_same(scene, analyser: FaceAnalyser) -> None:
    pipeline = FacePipeline(params(target="anna"), analyser, None)
    scene.places = {"anna": Box(100, 80, 60, 60)}
    ids = {pipeline.process(scene.frame(), i * FRAME)[0].track_id for i in range(5)}
    assert ids == {1}


def test_contradicting_thresholds_are_refused() -> None:
    with pytest.raises(ParamError, match="exit"):
        params(recognition__enter=0.4, recognition__exit=0.5)


def test_a_cut_to_somebody_else_in_the_same_place_takes_the_name_at_once(scene, pipeline: FacePipeline) -> None:
    scene.places = {"anna": Box(100, 80, 60, 60)}
    for i in range(10):
        pipeline.process(scene.frame(), i * FRAME)
    scene.places = {"cleo": Box(100, 80, 60, 60)}
    for i in range(10, 20):
        (face,) = pipeline.process(scene.frame(), i * FRAME)
        assert face.identity == "" and face.similarity < 0.3
    scene.places["anna"] = Box(400, 80, 60, 60)
    assert [f.identity for f in pipeline.process(scene.frame(), 20 * FRAME)] == ["", "anna"]
