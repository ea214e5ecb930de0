"""Faces with masks, drawn on real photographs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from real_faces import play

from face_af_gallery.gallery import Gallery
from face_af_perception.alignment import ARCFACE, DLIB
from face_af_perception.analyser import AnalysedFace, FaceAnalyser
from face_af_perception.masks import covered_from

PEOPLE = {"a": (1, (2, 4)), "b": (3, (12,)), "c": (8, (9, 47)), "d": (13, (14,)), "e": (16, (17,))}
STRANGERS = (18, 20, 22, 24, 38)


def photo(folder: Path, number: int) -> np.ndarray:
    return np.asarray(cv2.imread(str(folder / f"img{number}.jpg")), np.uint8)


def with_mask(models: FaceAnalyser, picture: np.ndarray, colour: tuple[int, int, int] = (205, 180, 130)) -> np.ndarray:
    """A copy with a plain mask from the middle of the nose to below the chin, on the largest face."""
    eyes_left, eyes_right, _, left, right = models.find(picture)[0].landmarks.astype(float)
    eyes, mouth = (eyes_left + eyes_right) / 2, (left + right) / 2
    across, down = eyes_right - eyes_left, mouth - eyes
    shape = [(-0.9, 0.55), (0, 0.4), (0.9, 0.55), (0.85, 1.1), (0.3, 1.75), (-0.3, 1.75), (-0.85, 1.1)]
    corners = np.array([eyes + x * across + y * down for x, y in shape])
    result = picture.copy()
    cv2.fillPoly(result, [corners.astype(np.int32)], colour, cv2.LINE_AA)
    return result


def largest(models: FaceAnalyser, picture: np.ndarray) -> AnalysedFace:
    return models.analyse(picture)[0]


@pytest.fixture(scope="module")
def folder(test_faces: Path) -> Path:
    return test_faces


def gallery_of(models: FaceAnalyser, folder: Path) -> Gallery:
    gallery = Gallery(None, models.embedder)
    for name, (number, _) in PEOPLE.items():
        picture = photo(folder, number)
        models.enrol(gallery, name, picture, largest(models, picture))
    return gallery


def test_a_mask_begins_at_the_same_place_of_the_face_whatever_the_template() -> None:
    assert (covered_from(ARCFACE), covered_from(DLIB)) == (70, 71)


def test_a_masked_face_that_fills_its_photograph_is_found(models: FaceAnalyser, folder: Path) -> None:
    for number in STRANGERS:
        picture = photo(folder, number)
        box = models.find(picture)[0].box
        left, top = max(0, int(box.x)), max(0, int(box.y))
        crop = with_mask(models, picture)[top : int(box.bottom), left : int(box.right)]
        assert models.find(np.asarray(cv2.resize(crop, (160, 160), interpolation=cv2.INTER_AREA), np.uint8)), number


def test_masked_faces_are_told_and_mostly_named_by_their_upper_half(models: FaceAnalyser, folder: Path) -> None:
    gallery = gallery_of(models, folder)
    upper = gallery.upper
    assert upper is not None and upper.names == sorted(PEOPLE)
    told, named, probes = 0, 0, 0
    for name, (_, others) in PEOPLE.items():
        for number in others:
            probes += 1
            face = largest(models, with_mask(models, photo(folder, number)))
            told += face.masked
            if face.upper is not None:
                match = upper.match(face.upper[None])[0]
                sure = match.similarity >= upper.threshold
                assert not sure or match.identity == name, number
                named += sure
    assert told >= probes - 1 and named >= 0.5 * probes
    for number in STRANGERS:
        face = largest(models, with_mask(models, photo(folder, number)))
        if face.upper is not None:
            assert upper.match(face.upper[None])[0].similarity < upper.threshold, number


@pytest.mark.parametrize("colour", [(40, 60, 200), (60, 190, 90), (120, 150, 200), (25, 25, 25), (200, 60, 160)])
def test_masks_of_any_colour_are_told(models: FaceAnalyser, folder: Path, colour: tuple[int, int, int]) -> None:
    """Red, green, skin's, black, violet."""
    numbers = (*STRANGERS, *(number for number, _ in PEOPLE.values()))
    faces = [largest(models, with_mask(models, photo(folder, n), colour)) for n in numbers]
    assert sum(face.masked for face in faces) >= len(numbers) - 1


@pytest.mark.parametrize("light", [(0.1, 0.1, 1.0), (1.0, 0.3, 0.8), (0.3, 0.3, 0.3)])
def test_uncovered_faces_in_stage_light_are_not_taken_for_masked(
    models: FaceAnalyser, folder: Path, light: tuple[float, float, float]
) -> None:
    """Red, violet, dim."""
    faces = [largest(models, (photo(folder, n) * light).astype(np.uint8)) for n in (*STRANGERS, 1, 3, 8, 13, 16)]
    assert sum(face.masked for face in faces) <= 1


def test_uncovered_faces_are_hardly_ever_taken_for_masked(models: FaceAnalyser, folder: Path) -> None:
    faces = [largest(models, photo(folder, n)) for n in (*STRANGERS, *(number for number, _ in PEOPLE.values()))]
    assert sum(face.masked for face in faces) <= 1


def test_a_photograph_with_a_mask_counts_for_masked_faces_only(
    models: FaceAnalyser, folder: Path, tmp_path: Path
) -> None:
    gallery = Gallery.open(tmp_path / "g", models.embedder, create=True)
    picture = with_mask(models, photo(folder, 1))
    models.enrol(gallery, "a", picture, largest(models, picture), masked=True)
    other = photo(folder, 3)
    models.enrol(gallery, "b", other, largest(models, other))
    gallery.save()
    again = Gallery.open(tmp_path / "g", models.embedder)
    assert again.names == ["b"] and again.upper is not None and again.upper.names == ["a", "b"]
    assert [sample.masked for sample in again.samples()] == [True, False]


def test_a_masked_person_in_front_of_the_camera_gets_the_name(models: FaceAnalyser, folder: Path) -> None:
    gallery = gallery_of(models, folder)
    assert gallery.upper is not None
    picture = with_mask(models, photo(folder, 1))
    face = largest(models, picture)
    if face.upper is None or gallery.upper.match(face.upper[None])[0].similarity < gallery.upper.threshold:
        pytest.skip("this mask hides too much from these networks")
    frames = [picture] * 20
    faces = play(models, gallery, frames, "a")
    assert faces[-1][0].identity == "a" and faces[-1][0].similarity >= 0.42
    alone = Gallery(None, models.embedder)
    other = photo(folder, 18)
    models.enrol(alone, "x", other, largest(models, other))
    assert not any(face.identity for frame in play(models, alone, frames, "x") for face in frame)
