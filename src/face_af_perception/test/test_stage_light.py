"""A singer on a real stage, his light turned to one colour. The film and the photographs come from outside."""

from __future__ import annotations

import numpy as np
import pytest
from real_faces import Media, film, gallery_of, named, play

from face_af_perception.analyser import FaceAnalyser

LIGHTS = {
    "red": (0.05, 0.08, 1),
    "blue": (1, 0.1, 0.05),
    "deep blue": (1, 0, 0),
    "green": (0.05, 1, 0.05),
    "magenta": (1, 0.05, 1),
    "amber": (0, 0.5, 1),
    "violet": (1, 0, 0.3),
}
"""Factors of B, G and R."""


@pytest.mark.parametrize("light", list(LIGHTS))
def test_a_face_in_light_of_one_colour_keeps_its_name(models: FaceAnalyser, media: Media, light: str) -> None:
    factors = np.array(LIGHTS[light])
    frames = [np.clip(frame * factors, 0, 255).astype(np.uint8) for frame in film(media.clip)[100:205]]
    faces = play(models, gallery_of(models, media.people), frames, "singer")
    assert named(faces, "singer") >= 95 and named(faces, "pianist") == 0
