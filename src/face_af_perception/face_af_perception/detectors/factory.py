"""From an entry of the model manifest to a detector that runs."""

from __future__ import annotations

from typing import Any

from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError, open_runner

from .base import Detector
from .centerface import CenterFace
from .scrfd import Scrfd

FAMILIES: dict[str, type[Detector]] = {"scrfd": Scrfd, "centerface": CenterFace}


def open_detector(
    spec: ModelSpec, size: tuple[int, int] = (640, 384), threshold: float = 0.0, **runtime: Any
) -> Detector:
    """Loads ``spec``; ``size`` is width and height of the network's input, ``threshold`` 0 the manifest's.

    ``runtime`` goes to :func:`face_af_inference.runtimes.open_runner`. Raises :class:`ModelError` when the file cannot
    be loaded or is another model.
    """
    if spec.family in FAMILIES:
        runner = open_runner(spec.network(), shape=(size[1], size[0]), **runtime)
        return FAMILIES[spec.family](spec, runner, size, threshold)
    if spec.family == "mtcnn":
        from .mtcnn import Mtcnn

        return Mtcnn(spec, size, threshold, **runtime)
    from . import classic

    older = {"haar": classic.Haar, "hog": classic.Hog, "ssd": classic.Ssd}
    if spec.family not in older:
        raise ModelError(f"{spec.name}: there is no detector of the family {spec.family!r}")
    return older[spec.family](spec, size, threshold)
