"""From photographs to figures: drawn faces stand in for photographs, a fixed finder for the detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_common.images import BGR
from face_af_sim.cast import CastError, cast_of, prepare_stage, sample_cast
from face_af_sim.cutout import cut_head
from face_af_sim.facemarks import FaceMarks
from face_af_sim.people import UNIT, Casting, NoFace, prepare, usable_faces
from face_af_sim.samples import fetch, missing


def marks(x: float = 300.0, y: float = 300.0, width: float = 160.0, turn: float = 0.0) -> FaceMarks:
    """68 points of a face with its middle at x, y: a jaw, brows, a nose, eyes, a mouth."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([np.cos(angle) * 0.5, 0.65 * np.sin(angle)], axis=1)
    brows = np.stack([np.linspace(-0.35, 0.35, 10), np.full(10, -0.2)], axis=1)
    bridge = np.stack([np.zeros(9), np.linspace(-0.1, 0.2, 9)], axis=1)
    eyes = np.concatenate([[(cx + dx, -0.08) for dx in np.linspace(-0.07, 0.07, 6)] for cx in (-0.2, 0.2)])
    mouth = np.stack([np.linspace(-0.18, 0.18, 20), np.full(20, 0.4)], axis=1)
    points = np.concatenate([jaw, brows, bridge, eyes, mouth]) * width
    turned = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return FaceMarks((turned + np.array([x, y])).astype(np.float32))


def photograph(at: FaceMarks) -> BGR:
    picture = np.full((600, 600, 3), (150, 90, 40), np.uint8)
    x, y = at.box.center
    size = (int(at.box.width * 0.58), int(at.box.height * 0.62))
    cv2.ellipse(picture, (int(x), int(y - 0.1 * at.box.height)), size, 0, 0, 360, (30, 40, 50), -1)
    cv2.fillConvexPoly(picture, cv2.convexHull(at.points).astype(np.int32), (120, 150, 210))
    noise = np.random.default_rng(0).integers(-6, 7, picture.shape)
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)


def finder(*found: FaceMarks):  # type: ignore[no-untyped-def]
    return lambda picture: list(found)


@pytest.mark.parametrize("turn", [-0.4, 0.0, 0.3])
def test_a_head_is_cut_out_upright_with_its_hair_and_without_the_background(turn: float) -> None:
    face = marks(turn=turn)
    head = cut_head(photograph(face), face)
    x, y = (int(v) for v in head.face.center)
    assert head.mask[y, x] == 255
    assert head.mask[int(head.face.y - 0.02 * head.face.height), x] > 200  # hair
    assert head.mask[:20].max() == 0 and head.mask[-15:].max() == 0
    assert head.mask[:, :20].max() == 0 and head.mask[:, -20:].max() == 0
    assert head.face.height == pytest.approx(220, rel=0.05)
    assert head.skin[2] > head.skin[0] and sum(head.hair) < sum(head.skin)


@pytest.mark.parametrize("width", [60.0, 160.0, 600.0])
def test_faces_of_any_size_give_the_same_scale(width: float) -> None:
    face = marks(width=width)
    picture = np.full((600, 600, 3), 90, np.uint8)
    assert cut_head(picture, face).face.height == pytest.approx(220, rel=0.05)


def test_a_face_at_the_edge_of_the_photograph_is_no_trouble() -> None:
    face = marks(x=60.0, y=70.0)
    assert cut_head(photograph(face), face).mask.max() == 255


def test_profiles_and_tiny_faces_are_not_used() -> None:
    good, profile, tiny = marks(), marks(), marks(x=100, width=30)
    profile.points[30] = profile.points[2] + 5  # the nose is where the ear is
    assert usable_faces(photograph(good), finder(profile, tiny, good))[0] is good


def test_figures_are_kept_and_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    photo = tmp_path / "anna.png"
    cv2.imwrite(str(photo), photograph(marks()))
    made = prepare(Casting("anna", photo), tmp_path / "cache", finder(marks()))
    assert made.face.height == pytest.approx(UNIT, rel=0.05)
    assert made.front.shape == made.back.shape and made.front.shape[2] == 4
    kept = prepare(Casting("anna", photo), tmp_path / "cache", finder())
    assert np.array_equal(kept.front, made.front) and kept.face == made.face
    (stored,) = (tmp_path / "cache").iterdir()
    stored.write_bytes(stored.read_bytes()[:1000])
    again = prepare(Casting("anna", photo), tmp_path / "cache", finder(marks()))
    assert np.array_equal(again.front, made.front)


def test_a_photograph_without_a_face_or_that_is_none_is_named(tmp_path: Path) -> None:
    photo = tmp_path / "wall.png"
    cv2.imwrite(str(photo), np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(NoFace, match=r"wall\.png"):
        prepare(Casting("anna", photo), tmp_path, finder())
    photo.write_bytes(b"not a picture")
    with pytest.raises(NoFace, match=r"wall\.png"):
        prepare(Casting("anna", photo), tmp_path, finder())


def test_without_samples_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CastError, match="fetch_samples"):
        sample_cast(tmp_path)
    monkeypatch.setenv("FACE_AF_SAMPLES", str(tmp_path / "none"))
    with pytest.raises(CastError, match="fetch_samples"):
        prepare_stage(folder=tmp_path / "stage")


def test_samples_that_are_there_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in missing(tmp_path):
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.setattr("subprocess.run", None)
    fetch(tmp_path)
    assert missing(tmp_path) == []


def test_own_people_come_from_a_folder_of_folders(tmp_path: Path) -> None:
    for person, photos in (("anna", ("1.png", "2.png", "3.png")), ("bert", ("b.png",)), ("nobody", ())):
        (tmp_path / person).mkdir()
        for photo in photos:
            cv2.imwrite(str(tmp_path / person / photo), photograph(marks()))
    (tmp_path / "README.txt").write_text("not a person")
    cast = cast_of(tmp_path, "bert", finder(marks()))
    assert [c.name for c in cast.castings] == ["bert", "anna"]
    assert cast.enrolment == (tmp_path / "bert" / "b.png",)
    cast = cast_of(tmp_path, "", finder(marks()))
    assert cast.target == "anna" and len(cast.enrolment) == 2
    assert cast.castings[0].photo not in cast.enrolment
    with pytest.raises(CastError, match="anna, bert"):
        cast_of(tmp_path, "carl", finder(marks()))
    with pytest.raises(CastError, match="face large and frontal"):
        cast_of(tmp_path, "anna", finder())
    with pytest.raises(CastError, match="no folder"):
        cast_of(tmp_path / "none")
