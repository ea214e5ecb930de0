"""``./run bench mask_fit FOLDER``: fits what tells a face with a mask, on masks drawn on photographs of bare faces.

FOLDER has photographs, at any depth, of faces without masks. Each gives its largest face, bare and with several masks,
in several kinds of light. The faces are found again once the mask is on, as the node would.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from drawn_masks import with_mask
from numpy.typing import NDArray
from photo_faces import largest_faces, photographs
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from face_af_common.files import write_json
from face_af_common.paths import model_dirs
from face_af_perception import masks
from face_af_perception.alignment import ARCFACE, ARCFACE_SIZE, Picture, aligned
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.detectors import Detection
from face_af_perception.lighting import balanced
from face_af_perception.masks import features

SIDE = 320
"""Pixels of the square around a face that is looked at."""
STRENGTH = 0.1
"""How freely the regression follows its examples (scikit-learn's C)."""
PARTS = 5
"""Photographs are left out in so many parts, to see how well others are told."""


@dataclass(frozen=True)
class Example:
    """What is looked at of a face; whether it wears a mask; the photograph that it comes from."""

    features: NDArray[np.float32]
    masked: bool
    photo: int


def square(bgr: Picture, face: Detection, share: float) -> tuple[Picture, NDArray[np.float32]]:
    """The square around a face which takes a ``share`` of its side, and the landmarks in it."""
    scale = share * SIDE / max(face.box.width, face.box.height)
    middle = np.array([face.box.x + face.box.width / 2, face.box.y + face.box.height / 2])
    matrix = np.hstack([np.eye(2) * scale, (SIDE / 2 - scale * middle)[:, None]])
    part = cv2.warpAffine(bgr, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, np.uint8), np.asarray(face.landmarks * scale + matrix[:, 2], np.float32)


def lit(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Another light, another lens, another compression."""
    gain = np.full(3, rng.uniform(0.25, 1.25))
    if rng.random() < 0.25:
        gain *= rng.uniform(0.15, 1.0, 3)
    result = 255 * (bgr / 255.0) ** rng.uniform(0.7, 1.4) * gain
    if rng.random() < 0.4:
        small = rng.uniform(0.2, 0.7)
        result = cv2.resize(cv2.resize(result, None, fx=small, fy=small, interpolation=cv2.INTER_AREA), (SIDE, SIDE))
    result += rng.normal(0, rng.uniform(0, 6), result.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(40, 95))]
    packed = cv2.imencode(".jpg", np.clip(result, 0, 255).astype(np.uint8), quality)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def examples(analyser: FaceAnalyser, files: Sequence[Path], seed: int, copies: int) -> Iterator[Example]:
    """Of each photograph's largest face ``copies`` without and as many with a mask."""
    rng = np.random.default_rng(seed)
    bar = tqdm(files, unit="photo", disable=None, leave=False)
    for photo, (_, bgr, largest) in enumerate(largest_faces(bar, analyser)):
        for number in range(2 * copies):
            covered = number % 2 == 1
            part, landmarks = square(bgr, largest, rng.uniform(0.3, 0.55))
            if covered:
                part = with_mask(part, landmarks, rng)
            if number >= 2:
                part = lit(part, rng)
            found = analyser.detector.detect(part, (SIDE, SIDE))
            face = max(found, key=lambda face: face.box.area, default=None)
            if face is not None and face.box.contains(SIDE / 2, SIDE / 2):
                chip = balanced(aligned(part, face.landmarks, ARCFACE, ARCFACE_SIZE))
                yield Example(features([chip], ARCFACE)[0], covered, photo)


def fitted(x: NDArray[np.float32], y: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000).fit(x, y)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench mask_fit", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", metavar="FOLDER", help="photographs of faces without masks")
    parser.add_argument("--copies", type=int, default=3, help="bare and masked faces of each (default: %(default)s)")
    parser.add_argument("--most", type=int, default=10_000, help="photographs of each folder (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--report", type=Path, help="write the shares told to this JSON file")
    parser.add_argument("--write", action="store_true", help=f"write {masks.CLASSIFIER.name}")
    options = parser.parse_args(argv)
    for folder in options.folder:
        if not folder.is_dir():
            parser.error(f"{folder} is no folder")
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    files = [file for folder in options.folder for file in _some(photographs(folder), options.most, rng)]
    found = list(examples(FaceAnalyser.open(model_dirs=model_dirs()), files, options.seed, options.copies))
    if not found:
        parser.error("there is no face in these folders")
    x, y = np.stack([e.features for e in found]), np.array([e.masked for e in found])
    part = np.array([e.photo for e in found]) % PARTS
    odds = np.empty(len(y))
    for i in range(PARTS):
        odds[part == i] = fitted(x[part != i], y[part != i]).decision_function(x[part == i])
    print(f"{len(files)} photographs, {np.sum(~y)} bare faces, {np.sum(y)} masked ones; told by photographs left out:")
    report = []
    for sure in (0.2, masks.SURE, 0.5, 0.7):
        told = odds >= np.log(sure / (1 - sure))
        row = {"sure": sure, "masked_told": float(told[y].mean()), "bare_told": float(told[~y].mean())}
        print("from {sure:.2f} on: {masked_told:.1%} of the masks, {bare_told:.1%} of the bare".format(**row))
        report.append(row)
    if options.report is not None:
        write_json(options.report, report)
    if options.write:
        made = fitted(x, y)
        np.savez(
            masks.CLASSIFIER, coefficients=made.coef_[0].astype(np.float32), intercept=np.float32(made.intercept_[0])
        )
    return 0


def _some(files: Sequence[Path], most: int, rng: np.random.Generator) -> list[Path]:
    return [files[i] for i in rng.permutation(len(files))[:most]]


if __name__ == "__main__":
    sys.exit(main())
