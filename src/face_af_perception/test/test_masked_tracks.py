"""Names of tracks that wear masks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from face_af_gallery.calibration import PublishedScale
from face_af_gallery.model import Match
from face_af_perception.identity_rule import IdentityRule
from face_af_perception.params import RecognitionParams
from face_af_perception.tracker import Memory

ROW = np.ones(4, np.float32)
BERT, NARROWLY, HARDLY = Match("bert", 0.7, 0.3), Match("bert", 0.7, 0.65), Match("bert", 0.3, 0.0)


def named(before: str, half: Match, looks: int = 2, known: tuple[str, ...] = ("anna", "bert")) -> str:
    """The name of a track of which the whole face says ``before``."""
    model = SimpleNamespace(scale=PublishedScale(0.0, 0.42), margin=0.1, mean=lambda rows, weights: rows[0])
    embedder = SimpleNamespace(scale=PublishedScale(0.0, 0.42), upper=model)
    upper = SimpleNamespace(names=list(known), threshold=0.42, match=lambda rows: [half] * len(rows))
    memory = Memory(1)
    memory.identity = before
    memory.upper, memory.upper_weights = [ROW] * looks, [1.0] * looks
    rule = IdentityRule(RecognitionParams(), embedder, None)  # type: ignore[arg-type]
    rule._decide_by_upper_half(memory, SimpleNamespace(upper=upper))  # type: ignore[arg-type]
    return memory.identity


@pytest.mark.parametrize(
    ("before", "half", "name"),
    [
        ("bert", HARDLY, "bert"),
        ("anna", BERT, "bert"),
        ("anna", NARROWLY, ""),
        ("anna", HARDLY, ""),
        ("", BERT, "bert"),
        ("", NARROWLY, ""),
        ("", HARDLY, ""),
    ],
)
def test_the_whole_face_and_its_upper_half_must_agree_or_the_half_be_sure(before: str, half: Match, name: str) -> None:
    assert named(before, half) == name
    assert named(before, half, looks=1) == before, "two looks are needed"


def test_whose_upper_half_is_not_there_cannot_be_contradicted() -> None:
    assert named("anna", HARDLY, known=("bert",)) == "anna"
    assert named("", BERT, known=("bert",)) == "bert"
