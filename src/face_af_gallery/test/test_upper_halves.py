"""Upper halves of faces are embedded when the gallery is opened, and a few at a time after that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from conftest import ColourModel
from face_af_gallery.gallery import AT_ONCE, Gallery
from face_af_gallery.model import Chip

Draw = Callable[[str], tuple[np.ndarray, np.ndarray]]


class HalfModel(ColourModel):
    """Counts what it embeds."""

    embedded = 0
    unmasks = False

    def embed(self, bgr: np.ndarray, landmarks: Sequence[np.ndarray], flip: bool = False) -> np.ndarray:
        self.embedded += len(landmarks)
        return super().embed(bgr, landmarks, flip)

    def unmasked(self, rows: np.ndarray) -> np.ndarray:
        return rows[:, ::-1] if self.unmasks else rows


def model() -> tuple[ColourModel, HalfModel]:
    whole, half = ColourModel(), HalfModel("halves:1")
    whole.upper = half  # type: ignore[assignment]
    return whole, half


def add(gallery: Gallery, whole: ColourModel, draw: Draw, name: str, many: int) -> None:
    for number in range(many):
        picture, landmarks = draw(name)
        picture[0, 0, 0] = len(gallery) + number
        gallery.add(name, Chip(picture, landmarks), whole.embed(picture, [landmarks])[0], 1.0)


def test_a_frame_never_waits_for_many_new_samples(tmp_path: Path, portrait: Draw) -> None:
    whole, half = model()
    gallery = Gallery.open(tmp_path / "g", whole, create=True)
    add(gallery, whole, portrait, "anna", 5)
    assert gallery.upper is not None and half.embedded == 5, "whoever opens a gallery gets all at once"
    new = 3 * AT_ONCE + 1
    add(gallery, whole, portrait, "bert", new)
    counts = []
    for _ in range(5):
        before = half.embedded
        upper = gallery.upper
        counts.append(half.embedded - before)
    assert counts == [AT_ONCE, AT_ONCE, AT_ONCE, 1, 0]
    assert upper is not None and upper.names == ["anna", "bert"] and len(upper) == 5 + new


def test_what_was_embedded_bit_by_bit_is_kept(tmp_path: Path, portrait: Draw) -> None:
    whole, _ = model()
    gallery = Gallery.open(tmp_path / "g", whole, create=True)
    assert gallery.upper is not None
    add(gallery, whole, portrait, "cleo", AT_ONCE + 1)
    gallery.save()
    for _ in range(2):
        _ = gallery.upper
    whole, half = model()
    again = Gallery.open(tmp_path / "g", whole).upper
    assert again is not None and len(again) == AT_ONCE + 1
    assert half.embedded == 0


def test_the_threshold_of_upper_halves_falls_in_small_galleries_as_that_of_whole_faces(portrait: Draw) -> None:
    whole, half = model()
    whole.lead = half.lead = 0.3
    gallery = Gallery(None, whole)
    add(gallery, whole, portrait, "anna", 5)
    assert gallery.upper is not None
    assert gallery.upper.threshold == gallery.threshold < whole.threshold == half.threshold


def test_an_enrolled_mask_counts_less_for_masked_faces(portrait: Draw) -> None:
    whole, half = model()
    half.masked_less = 0.25
    gallery = Gallery(None, whole)
    picture, landmarks = portrait("anna")
    row = whole.embed(picture, [landmarks])
    gallery.add("anna", Chip(picture, landmarks), row[0], 1.0, masked=True)
    assert gallery.upper is not None
    assert abs(gallery.upper.match(row)[0].similarity - 0.75) < 1e-5
    gallery.add("anna", Chip(picture, landmarks), row[0], 1.0)
    assert gallery.upper is not None
    assert abs(gallery.upper.match(row)[0].similarity - 1) < 1e-5


def test_enrolled_masks_are_taken_off_once(tmp_path: Path, portrait: Draw) -> None:
    whole, half = model()
    half.unmasks = True
    gallery = Gallery.open(tmp_path / "g", whole, create=True)
    picture, landmarks = portrait("anna")
    row = whole.embed(picture, [landmarks])
    gallery.add("anna", Chip(picture, landmarks), row[0], 1.0, masked=True)
    add(gallery, whole, portrait, "bert", 1)
    gallery.save()

    def alike() -> tuple[float, float]:
        assert gallery.upper is not None
        return gallery.upper.match(row[:, ::-1])[0].similarity, gallery.upper.match(row)[0].similarity

    first = alike()
    assert abs(first[0] - 1) < 1e-5 and first[1] < 0.9
    add(gallery, whole, portrait, "cleo", 1)
    assert alike() == first, "those that were there are left as they are"
    gallery.save()
    gallery = Gallery.open(tmp_path / "g", whole)
    assert alike() == first, "kept as they were embedded, and read again"
