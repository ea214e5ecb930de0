"""The recognition figures with real networks on real photographs (FACE_AF_TEST_FACES; FACE_AF_MODEL_DIR)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from face_af_people import evaluate

FACES = Path(os.environ.get("FACE_AF_TEST_FACES", ""))
SETS = {
    "SCRFD + MobileFaceNet": ["--detector", "scrfd", "--embedder", "mobilefacenet"],
    "embedded default": ["--detector", "centerface", "--embedder", "dlib"],
}


@pytest.mark.parametrize("models", SETS)
def test_every_pair_is_told_right_at_the_manifests_threshold(models: str, tmp_path: Path) -> None:
    if not (FACES / "pairs.csv").is_file() or not os.environ.get("FACE_AF_TEST_FACES"):
        pytest.skip("no photographs (FACE_AF_TEST_FACES)")
    if models != "embedded default" and not os.environ.get("FACE_AF_MODEL_DIR"):
        pytest.skip("no weights (FACE_AF_MODEL_DIR)")
    report = tmp_path / "report.json"
    status = evaluate.main(["--pairs", str(FACES / "pairs.csv"), "--json", str(report), *SETS[models]])
    assert status == 0
    figures = json.loads(report.read_text())["verification"]
    assert figures["right_at_threshold"] == figures["pairs"] == 300
