"""The comparison of detectors and recognisers."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.matching import Lead
from face_af_inference.runtimes import ModelError
from face_af_people.compare import compared_table, judged
from face_af_people.measured import DETECTOR, OLDER, Job, measure
from face_af_people.older_recognisers import lbp_histograms
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


def test_found_and_false_boxes_are_counted_once() -> None:
    face, small, nothing = [10, 10, 50, 50], [200, 10, 20, 20], [400, 300, 40, 40]
    reference = [np.array([face, small], np.float32), np.empty((0, 4), np.float32)]
    assert judged(reference, reference) == (1, 1, 0)
    # cut a little differently, a second box on the same face, and one where there is none
    found = [np.array([[14, 6, 55, 60], [12, 12, 40, 40], nothing], np.float32), np.array([nothing], np.float32)]
    assert judged(found, reference) == (1, 1, 2)
    assert judged([np.empty((0, 4), np.float32)] * 2, reference) == (0, 1, 0)


def test_methods_are_measured_on_real_photographs_in_processes_of_their_own() -> None:
    faces = Path(os.environ.get("FACE_AF_TEST_FACES", ""))
    if not os.environ.get("FACE_AF_TEST_FACES") or not (faces / "img1.jpg").is_file():
        pytest.skip("no photographs (FACE_AF_TEST_FACES)")
    models = argparse.Namespace(manifest=None, model_dir="", runtime="auto", threads=1)
    photos = [faces / "img11.jpg", faces / "img17.jpg"]
    eyes = np.array([[60, 80], [110, 80], [85, 110], [65, 135], [105, 135]], np.float32)
    found = measure(Job(OLDER, "LBPH", models, photos, [eyes, eyes]))
    assert [row.shape for row in found.values] == [(64 * 256,)] * 2 and found.milliseconds > 0
    assert len(measure(Job(DETECTOR, "haar", models, photos)).values[0]) >= 1
    with pytest.raises(ModelError, match="no detector"):
        measure(Job(DETECTOR, "none", models, photos))


def test_what_is_left_out_is_in_the_table() -> None:
    report = {
        "photos": 2, "enrolled": 1, "far": 0.005, "left_out": {"ssd": "no file"},
        "detectors": [{"name": "scrfd", "found": 1.0, "false": 0.0, "milliseconds": 9.0, "memory_mb": 40.0}],
        "recognisers": [
            {"name": "LBPH", "named": 0.1, "misnamed": 0.0, "strangers": 0.0, "milliseconds": 1.0, "memory_mb": 2.0}
        ],
    }  # fmt: skip
    text = "\n".join(compared_table(report))
    assert "left out: ssd: no file" in text and "older_methods.txt" in text and "10.0%" in text
