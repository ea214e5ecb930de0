"""``./run bench mask_fit FOLDER``: fits what tells a face with a mask, on masks drawn on photographs of bare faces.

FOLDER has photographs, at any depth, of faces without masks. Each gives its largest face, bare and with several masks,
in several kinds of light. The faces are found again once the mask is on, as the node would.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from fit_options import chosen_photographs, fit_parser
from masked_faces import looks
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from face_af_common.files import write_json
from face_af_common.paths import model_dirs
from face_af_perception import masks
from face_af_perception.alignment import ARCFACE, ARCFACE_SIZE, aligned
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.lighting import balanced
from face_af_perception.masks import features

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


def examples(analyser: FaceAnalyser, files: Sequence[Path], seed: int, copies: int) -> Iterator[Example]:
    """Of each photograph's largest face ``copies`` without and as many with a mask."""
    for look in looks(analyser, files, seed, copies, copies):
        chip = balanced(aligned(look.bgr, look.face.landmarks, ARCFACE, ARCFACE_SIZE))
        yield Example(features([chip], ARCFACE)[0], look.covered, look.photo)


def fitted(x: NDArray[np.float32], y: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000).fit(x, y)


def main(argv: Sequence[str] | None = None) -> int:
    parser = fit_parser("mask_fit", __doc__, 3, masks.CLASSIFIER)
    options = parser.parse_args(argv)
    try:
        files = chosen_photographs(options.folder, options.most, options.seed)
    except NotADirectoryError as error:
        parser.error(str(error))
    cv2.setNumThreads(1)
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


if __name__ == "__main__":
    sys.exit(main())
