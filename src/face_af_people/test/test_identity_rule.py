"""The rule by which faces of still images get names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from face_af_common.types import Box
from face_af_gallery.calibration import PublishedScale
from face_af_gallery.model import Match
from face_af_people.identity_rule import Rule
from face_af_perception.analyser import AnalysedFace


def gallery_of(match: Match, upper: object = None, names: tuple[str, ...] = ("anna", "bert")) -> SimpleNamespace:
    """Everybody is ``match``."""
    embedder = SimpleNamespace(scale=PublishedScale(0.0, 0.42), margin=0.1)
    return SimpleNamespace(
        embedder=embedder, threshold=0.42, names=list(names), upper=upper, match=lambda rows: [match] * len(rows)
    )


ANNA, NOBODY = Match("anna", 0.6, 0.2), Match("anna", 0.3, 0.2)
BERT, NARROWLY, HARDLY = Match("bert", 0.7, 0.3), Match("bert", 0.7, 0.65), Match("bert", 0.3, 0.0)


@pytest.mark.parametrize(
    ("whole", "half", "name"),
    [
        (ANNA, Match("anna", 0.3, 0.29), "anna"),
        (ANNA, BERT, "bert"),
        (ANNA, NARROWLY, ""),
        (ANNA, HARDLY, ""),
        (NOBODY, BERT, "bert"),
        (NOBODY, NARROWLY, ""),
        (NOBODY, HARDLY, ""),
    ],
)
def test_a_face_with_a_mask_is_named_where_the_whole_and_its_upper_half_agree_or_the_half_is_sure(
    whole: Match, half: Match, name: str
) -> None:
    rows = np.ones(4, np.float32)
    landmarks = np.zeros((5, 2), np.float32)
    masked = AnalysedFace(Box(0, 0, 50, 50), 0.9, landmarks, rows, 0.8, True, rows)
    bare = AnalysedFace(Box(0, 0, 50, 50), 0.9, landmarks, rows, 0.8, False, None)
    unclear = AnalysedFace(Box(0, 0, 50, 50), 0.9, landmarks, rows, 0.1, True, rows)
    alone = whole.identity if whole is ANNA else ""
    gallery = gallery_of(whole, gallery_of(half))
    assert [n for n, _ in Rule().name(gallery, [bare, masked, unclear])] == [alone, name, alone]  # type: ignore[arg-type]
    not_yet = gallery_of(whole, gallery_of(half, names=("bert",)))
    kept = alone or name
    assert Rule().name(not_yet, [masked])[0][0] == kept, "whose upper half is not there cannot be contradicted"  # type: ignore[arg-type]
