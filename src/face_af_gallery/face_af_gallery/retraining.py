"""A gallery's classifier is trained again by itself when the samples have changed, in a process of its own.

``python -m face_af_gallery.retraining`` is that process: arrays on standard input, a classifier on standard output. It
is nice to its neighbours, needs no model and no file, and cannot stop the frames of whoever has started it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict

import numpy as np

from .classifier import Classifier
from .cross_validation import Scale
from .gallery import Gallery
from .model import GalleryError
from .training import Options, train, training_set

_LONGEST_S = 600.0
AGAIN = "`ros2 run face_af_people train` trains it again"


class Retrainer:
    """Call :meth:`tend` from time to time; ``problem`` is one line for people, or empty."""

    def __init__(self) -> None:
        self.problem = ""
        self._thread: threading.Thread | None = None
        self._tried = ""
        self._made: Classifier | None = None

    def wait(self, timeout_s: float) -> bool:
        """Until the training that :meth:`tend` has started has ended; the next call takes over what came out.

        False where it has started none yet, or has not ended after ``timeout_s`` seconds.
        """
        if self._thread is None:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def tend(self, gallery: Gallery) -> None:
        """Starts a training where the gallery wants a classifier and has none that fits; takes over what came out.

        Returns at once. The gallery is only touched inside this call.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        if self._made is not None:
            self._take_over(gallery, self._made)
        elif not gallery.training or gallery.classifier is not None:
            self.problem = ""
        elif (content := gallery.content) != self._tried:
            self._tried = content
            try:
                job = pack(gallery)
            except GalleryError as error:
                self.problem = f"the gallery's classifier is not used: {error}; {AGAIN}"
                return
            self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
            self._thread.start()

    def _take_over(self, gallery: Gallery, made: Classifier) -> None:
        if made.content != gallery.content:
            self._made = None  # changed meanwhile: trained again
            return
        try:
            gallery.use(made, gallery.training, wait_s=0.0)
            self._made = None
        except GalleryError as error:
            self.problem = str(error)  # being written by another process: tried again at the next call

    def _run(self, job: bytes) -> None:
        try:
            self._made = run(job)
            self.problem = ""
        except GalleryError as error:
            self.problem = f"the gallery's classifier could not be trained: {error}; {AGAIN}"


def scale_of(gallery: Gallery) -> Scale:
    """The gallery's similarities, for cross-validation."""
    return Scale(gallery.threshold, gallery.embedder.above(-1.0), gallery.floor)


def pack(gallery: Gallery) -> bytes:
    """Everything that a training needs. Raises :class:`GalleryError` where it needs more than the gallery has."""
    options = Options.from_text(gallery.training)
    if options.copies:
        raise GalleryError("it was trained with changed copies of the photographs")
    samples = [sample for sample in gallery.samples() if not sample.masked]
    if not samples:
        raise GalleryError("the gallery is empty")
    names, data = training_set(samples, np.stack([gallery.embedding(s) for s in samples]))
    about = {
        "names": names, "scale": asdict(scale_of(gallery)), "options": gallery.training,
        "model": gallery.model_id, "content": gallery.content,
    }  # fmt: skip
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, about=text, rows=data.rows, owners=data.owners, background=data.background)
    return buffer.getvalue()


def run(job: bytes) -> Classifier:
    """Trains in a process of its own. Raises :class:`GalleryError`."""
    command = [sys.executable, "-m", "face_af_gallery.retraining"]
    try:
        done = subprocess.run(command, input=job, capture_output=True, timeout=_LONGEST_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GalleryError(str(error)) from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise GalleryError(lines[-1] if lines else f"it ended with status {done.returncode}")
    return Classifier.from_bytes(done.stdout)


def unpack_and_train(job: bytes) -> Classifier:
    """What the process does. Raises :class:`GalleryError`."""
    from .training_set import TrainingSet

    with np.load(io.BytesIO(job), allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        rows, owners, background = arrays["rows"], arrays["owners"], arrays["background"]
    data = TrainingSet(rows, owners, np.arange(len(rows)), np.ones(len(rows), bool), background)
    options = Options.from_text(about["options"])
    return train(
        tuple(about["names"]), data, Scale(**about["scale"]), options, model_id=about["model"], content=about["content"]
    ).classifier


def main() -> int:
    os.nice(10)
    try:
        sys.stdout.buffer.write(unpack_and_train(sys.stdin.buffer.read()).to_bytes())
    except (GalleryError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
