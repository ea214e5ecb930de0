"""The older detectors on real photographs, beside the usual one (FACE_AF_TEST_FACES; packages of older_methods.txt)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from face_af_common.paths import model_dirs
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import ModelError
from face_af_perception.analyser import FaceAnalyser, still_size
from face_af_perception.detectors import Detector, PictureError, open_detector


def opened(name: str) -> Detector:
    try:
        return open_detector(load_manifest().choose("detector", name, model_dirs()))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ["mtcnn", "ssd", "haar", "hog"])
def test_boxes_and_landmarks_lie_where_the_usual_detector_has_them(
    name: str, models: FaceAnalyser, test_faces: Path
) -> None:
    detector = opened(name)
    for photo in ("img1.jpg", "img4.jpg"):
        picture = np.asarray(cv2.imread(str(test_faces / photo)), np.uint8)
        usual = models.find(picture)[0]
        size = still_size(picture.shape[1], picture.shape[0], detector.size)
        face = max(detector.detect(picture, size), key=lambda f: f.box.area)
        assert face.box.iou(usual.box) > 0.4
        eyes = float(np.linalg.norm(usual.landmarks[1] - usual.landmarks[0]))
        apart = np.linalg.norm(face.landmarks - usual.landmarks, axis=1) / eyes
        # the mouth is only estimated where the detector knows no landmarks
        assert apart[:2].max() < 0.15 and apart.max() < 0.45, apart


@pytest.mark.parametrize("name", ["mtcnn", "ssd", "haar", "hog"])
def test_pictures_without_a_face_and_no_pictures(name: str) -> None:
    detector = opened(name)
    assert detector.detect(np.full((120, 160, 3), 90, np.uint8)) == []
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []
    with pytest.raises(PictureError):
        detector.detect(np.zeros((40, 40), np.uint8))
