"""A detector or recogniser, measured in a process of its own: what it says, its time, its memory."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .photos import PhotoError, Picture, read_photo

DETECTOR, EMBEDDER, OLDER = "detector", "embedder", "older"


@dataclass(frozen=True)
class Job:
    """``kind``: one of :data:`DETECTOR`, :data:`EMBEDDER`, :data:`OLDER` (of :mod:`~.older_recognisers`).

    ``name``: an entry of the manifest, or an older recogniser's; ``models``: the options of
    :func:`~.models.add_model_options`; ``landmarks``: 5 x 2 of the meant face of each photograph, for recognisers.
    """

    kind: str
    name: str
    models: argparse.Namespace
    photos: Sequence[Path]
    landmarks: Sequence[NDArray[np.float32]] = ()


@dataclass(frozen=True)
class Measured:
    """``values``: of a detector each photograph's boxes (N x 4: x, y, width, height), of a recogniser one row a photo.

    ``milliseconds``: of one photograph or face, the first one left out; ``memory_mb``: resident memory that opening and
    using it has added.
    """

    values: list[NDArray[np.float32]]
    milliseconds: float
    memory_mb: float


def measure(job: Job) -> Measured:
    """Runs a job in a fresh process. Raises ``ModelError`` where its files are not there, and :class:`PhotoError`."""
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_run, job).result()
    except BrokenProcessPool as error:
        raise PhotoError(f"{job.name}: its process has ended while it was measured") from error


def _run(job: Job) -> Measured:
    import cv2
    import psutil

    cv2.setNumThreads(max(1, job.models.threads))
    pictures = [read_photo(path) for path in job.photos]
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    look = {DETECTOR: _detector, EMBEDDER: _embedder, OLDER: _older}[job.kind](job)
    look(0, pictures[0])
    started = time.perf_counter()
    values = [look(index, picture) for index, picture in enumerate(pictures)]
    spent = time.perf_counter() - started
    gc.collect()
    return Measured(values, spent * 1e3 / len(pictures), max(0, process.memory_info().rss - before) / 2**20)


def _detector(job: Job) -> Any:
    from face_af_common.paths import model_dirs
    from face_af_inference.manifest import load_manifest
    from face_af_perception.analyser import still_size
    from face_af_perception.detectors import open_detector

    spec = load_manifest(job.models.manifest).choose(DETECTOR, job.name, model_dirs(job.models.model_dir))
    detector = open_detector(spec, runtime=job.models.runtime, threads=job.models.threads)

    def look(index: int, picture: Picture) -> NDArray[np.float32]:
        size = still_size(picture.shape[1], picture.shape[0], (640, 384))
        boxes = [f.box for f in detector.detect(picture, size)]
        return np.array([(b.x, b.y, b.width, b.height) for b in boxes], np.float32).reshape(-1, 4)

    return look


def _embedder(job: Job) -> Any:
    from face_af_common.paths import model_dirs
    from face_af_inference.choosing import choose_embedders
    from face_af_inference.manifest import load_manifest
    from face_af_perception.ensemble import open_face_model

    models = job.models
    chosen = choose_embedders(load_manifest(models.manifest), job.name, model_dirs(models.model_dir))
    model = open_face_model(*chosen, runtime=models.runtime, threads=models.threads)
    return lambda index, picture: model.embed(picture, [job.landmarks[index]], flip=True)[0]


def _older(job: Job) -> Any:
    from .older_recognisers import ROWS, gray_face

    row = ROWS[job.name]
    return lambda index, picture: row(gray_face(picture, job.landmarks[index]))
