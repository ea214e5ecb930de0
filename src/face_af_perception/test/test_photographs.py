"""The real models on real photographs; both come from outside the repository."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_common.paths import model_dirs
from face_af_gallery.matching import similarity
from face_af_inference.runtimes import ModelError
from face_af_perception.analyser import FaceAnalyser


@pytest.mark.parametrize(("detector", "embedder"), [("scrfd", "mobilefacenet"), ("centerface", "dlib")])
def test_all_pairs_are_told_apart_at_the_manifests_threshold(test_faces: Path, detector: str, embedder: str) -> None:
    if detector == "scrfd" and not os.environ.get("FACE_AF_MODEL_DIR"):
        pytest.skip("FACE_AF_MODEL_DIR names no folder with SCRFD and MobileFaceNet")
    try:
        analyser = FaceAnalyser.open(detector, embedder, model_dirs=model_dirs(), runtime="onnxruntime-cpu")
    except ModelError as error:
        pytest.skip(str(error))
    with (test_faces / "pairs.csv").open(newline="") as file:
        pairs = [(row["file_x"], row["file_y"], row["Decision"] == "Yes") for row in csv.DictReader(file)]
    rows = {}
    for name in sorted({name for x, y, _ in pairs for name in (x, y)}):
        faces = analyser.analyse(np.asarray(cv2.imread(str(test_faces / name)), np.uint8))
        assert faces, name
        rows[name] = faces[0].embedding
    wrong = [
        (x, y)
        for x, y, same in pairs
        if (similarity(rows[x][None], rows[y][None])[0, 0] >= analyser.embedder.threshold) != same
    ]
    assert not wrong
