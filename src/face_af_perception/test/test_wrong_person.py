"""Somebody else in the target's place, on films of real people that come from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_faces import Media, film, gallery_of, named, play

from face_af_perception.analyser import FaceAnalyser


def test_after_a_cut_a_stranger_does_not_keep_the_name_and_the_target_gets_it_back(
    models: FaceAnalyser, media: Media, cases: Path
) -> None:
    gallery = gallery_of(models, media.people)
    faces = play(models, gallery, film(cases / "ghost.avi"), "singer")
    assert [named(faces[a:b], "singer") for a, b in ((0, 30), (30, 40))] == [30, 0]
    assert named(faces[40:], "singer") >= 57
    ghosts = [f for frame in faces[30:] for f in frame if 250 < f.box.x < 350]
    assert len(ghosts) >= 60
    # his own similarity, not the target's: below what keeps a name
    assert max(f.similarity for f in ghosts) < models.embedder.threshold


def test_under_red_light_another_man_is_not_the_target(models: FaceAnalyser, cases: Path) -> None:
    samples = pytest.importorskip("face_af_sim.samples").samples_dir()
    photograph = next(Path(samples).rglob("obama2.jpg"), None)
    if photograph is None:
        pytest.skip(f"{samples} has no obama2.jpg; ./run demo fetches it")
    faces = play(models, gallery_of(models, {"target": photograph}), film(cases / "takeover.avi"), "target")
    targets = [any(face.is_target for face in frame) for frame in faces]
    assert sum(targets[:45]) >= 43 and sum(targets[45:]) <= 5
