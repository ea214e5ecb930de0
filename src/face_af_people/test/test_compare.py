"""The older recognisers."""

from __future__ import annotations

import numpy as np

from face_af_gallery.matching import Lead
from face_af_people.compare import lbp_histograms
from face_af_people.open_set import evaluate


def test_local_binary_patterns_do_not_mind_brighter_light_but_another_face() -> None:
    random = np.random.default_rng(0)
    face, other = random.integers(0, 120, (2, 64, 64), np.uint8)
    row = lbp_histograms(face)
    assert np.array_equal(row, lbp_histograms(face * 2 + 10))
    assert np.linalg.norm(row - lbp_histograms(other)) > 1


def test_a_person_who_is_left_out_is_not_the_second_best() -> None:
    """With the lead added too early a stranger would have their own person as rival, and look harmless."""
    alike = np.array([[1, 1, 0.5, 0.5], [1, 1, 0.5, 0.5], [0.5, 0.5, 1, 1], [0.5, 0.5, 1, 1]], np.float32)

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], np.ndarray]:
        names = sorted({name for name, _ in enrolled})
        taken = dict(enrolled)
        return names, np.stack([alike[probes, taken[name]] for name in names], 1)

    trial = evaluate({"a": [0, 1], "b": [2, 3]}, score, enrol=1, margin=0.0, lead=Lead(0.3, 0.0), repeats=2)
    assert np.allclose(trial.strangers, 0.5)
