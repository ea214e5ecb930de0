"""Face embedders behind one interface: a picture and landmarks in, one vector a face out.

How two vectors are compared: :mod:`face_af_gallery.matching`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.calibration import Calibration, PublishedScale
from face_af_gallery.matching import mean_embedding
from face_af_gallery.model import Embeddings, Points
from face_af_inference import dlib_graph
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError, Runner, open_runner

from .alignment import ARCFACE, ARCFACE_SIZE, DLIB, DLIB_SIZE, Picture, aligned
from .lighting import balanced
from .masks import MARGIN, covered_from, masked

TEMPLATES: dict[str, tuple[Points, int]] = {"arcface": (ARCFACE, ARCFACE_SIZE), "dlib": (DLIB, DLIB_SIZE)}
"""By the manifest's ``alignment``: where the landmarks lie, in a chip of so many pixels."""

BLANK = 127
"""Gray value of what is not to be seen."""

STRANGERS = {"cosine": 0.0, "euclidean": 0.6}
"""Similarity of two unrelated people on average, by the metric that a model was trained for."""


class FaceModel(ABC):
    """One embedding network, or several that work as one (:class:`~.ensemble.Ensemble`).

    ``model_id`` names the weights: embeddings of different models cannot be compared. ``threshold`` is the
    similarity from which on two photos show the same person, ``strangers`` that of two unrelated people on average.
    ``lead``, ``masked_less``: see :class:`~face_af_gallery.model.EmbeddingModel`. ``margin``: the lead over the
    second best person that a name needs, as a similarity.
    """

    name: str
    model_id: str
    runtime: str
    """What runs the network."""
    threshold: float
    strangers: float
    dimension: int
    lead: float = 0.0
    masked_less: float = 0.0
    margin: float = 0.0

    @property
    @abstractmethod
    def members(self) -> Sequence[Embedder]:
        """The networks, the quickest first."""

    @abstractmethod
    def joined(self, parts: Sequence[Embeddings]) -> Embeddings:
        """N x D rows from those of each member."""

    @abstractmethod
    def parts(self, rows: Embeddings) -> list[Embeddings]:
        """The reverse of :meth:`joined`; also of a single row."""

    @abstractmethod
    def mean(self, rows: Sequence[Embeddings], weights: Sequence[float] | None = None) -> Embeddings:
        """The weighted mean of embeddings of the same faces, brought back to their own length.

        Without that a mean of vectors of free length (dlib) would be nearer to everybody.
        """

    @abstractmethod
    def complete(
        self,
        bgr: Picture,
        landmarks: Sequence[Points],
        first: Embeddings,
        known: Sequence[Embeddings | None],
        flip: bool = False,
    ) -> Embeddings:
        """N x D rows of faces from the first member's rows."""

    @property
    @abstractmethod
    def upper(self) -> FaceModel | None:
        """The same networks for the upper halves of faces, with a threshold of their own; None where nobody has
        measured one. For faces with masks: what a mask may cover is blanked."""

    def embed_upper(
        self, bgr: Picture, landmarks: Sequence[Points], rows: Embeddings, flip: bool = False
    ) -> Embeddings:
        """Embeddings by :attr:`upper`, which must be there; ``rows``: those of the same faces by this model."""
        assert self.upper is not None
        return self.upper.embed(bgr, landmarks, flip)

    def embed_masked(
        self, bgr: Picture, landmarks: Sequence[Points], rows: Embeddings, flip: bool = False
    ) -> Embeddings:
        """The same of faces that wear masks."""
        assert self.upper is not None
        return self.upper.unmasked(self.embed_upper(bgr, landmarks, rows, flip))

    def unmasked(self, rows: Embeddings) -> Embeddings:
        """What an ``upper`` model's rows of faces that wear masks are guessed to be without the masks."""
        return rows

    @abstractmethod
    def warm_up(self) -> None:
        """Runs each network once: the first run is the slow one."""

    @property
    def scale(self) -> PublishedScale:
        """From this model's own similarities to those that are published, and back."""
        return PublishedScale(self.strangers, self.threshold)

    def above(self, fraction: float) -> float:
        """The threshold, raised by a fraction of its distance from strangers (less than 0: lowered)."""
        return min(0.999, self.threshold + fraction * (self.threshold - self.strangers))

    def look(self, bgr: Picture, landmarks: Sequence[Points], flip: bool = False) -> tuple[Embeddings, list[Picture]]:
        """N x D embeddings of faces with these ``landmarks`` (5 x 2 each), and the first member's chips of them."""
        first = self.members[0]
        chips = [first.chip(bgr, points) for points in landmarks]
        rows = first.embed_chips(chips, flip)
        return self.complete(bgr, landmarks, rows, [None] * len(chips), flip), chips

    def embed(self, bgr: Picture, landmarks: Sequence[Points], flip: bool = False) -> Embeddings:
        """N x D embeddings of faces with these ``landmarks``; ``flip``: averaged with mirror images."""
        return self.look(bgr, landmarks, flip)[0]


class Embedder(FaceModel):
    """One embedding network with its alignment and normalisation.

    ``calibration``: what its similarity is worth beside other models'. Raises :class:`ModelError`
    where the network is not what ``spec`` says.
    """

    def __init__(
        self, spec: ModelSpec, runner: Runner, template: Points, mean: Sequence[float], std: float, batch: int = 8
    ) -> None:
        self.spec = spec
        self.runner = runner
        self.name, self.model_id, self.runtime = spec.name, spec.model_id, runner.name
        distance_squared = spec.threshold**2 if spec.metric == "euclidean" else 2 - 2 * spec.threshold
        self.threshold = 1 - distance_squared / 2
        self.strangers = STRANGERS[spec.metric]
        self.calibration = (
            Calibration(*spec.calibration) if spec.calibration else Calibration.usual(self.threshold, self.strangers)
        )
        self.size = spec.size[0] if spec.size else ARCFACE_SIZE
        self._template = template
        self._mean, self._std = tuple(mean), std
        self._batch = batch
        self._blank_from: int | None = None
        self._alone = threading.Lock()
        """A gallery may be read in a thread while frames go on."""
        self.dimension = self._run(np.zeros((1, 3, self.size, self.size), np.float32)).shape[1]

    @property
    def members(self) -> Sequence[Embedder]:
        return (self,)

    def joined(self, parts: Sequence[Embeddings]) -> Embeddings:
        return parts[0]

    def parts(self, rows: Embeddings) -> list[Embeddings]:
        return [rows]

    def complete(
        self,
        bgr: Picture,
        landmarks: Sequence[Points],
        first: Embeddings,
        known: Sequence[Embeddings | None],
        flip: bool = False,
    ) -> Embeddings:
        return first

    def warm_up(self) -> None:
        chip = np.zeros((self.size, self.size, 3), np.uint8)
        for count in (1, 2, 4):
            self.embed_chips([chip] * count)

    @cached_property
    def upper(self) -> Embedder | None:
        if self.spec.upper is None:
            return None
        half = copy(self)
        half.threshold, half.strangers, slope, offset = self.spec.upper
        half.calibration = Calibration(slope, offset)
        half.margin = MARGIN
        half.model_id = f"{self.model_id}-upper"
        half._blank_from = covered_from(self._template)
        return half

    def masked(self, chips: Sequence[Picture]) -> list[bool]:
        """Whether the faces of chips that :meth:`chip` made wear masks."""
        return masked(chips, self._template)

    def chip(self, bgr: Picture, landmarks: Points) -> Picture:
        """The aligned face as the network sees it: size x size, BGR, :func:`balanced` under stage light."""
        return self._blanked(balanced(aligned(bgr, landmarks, self._template, self.size)))

    def _blanked(self, chip: Picture) -> Picture:
        if self._blank_from is not None:
            chip[self._blank_from :] = BLANK
        return chip

    def embed_chips(self, chips: Sequence[Picture], flip: bool = False) -> Embeddings:
        """N x D embeddings of chips that :meth:`chip` made; ``flip``: averaged with mirror images."""
        if not chips:
            return np.empty((0, self.dimension), np.float32)
        tensor = cv2.dnn.blobFromImages(
            list(chips), 1 / self._std, (self.size, self.size), self._mean, swapRB=self.spec.color == "rgb"
        )
        if flip:
            tensor = np.concatenate([tensor, np.flip(tensor, 3)])
        parts = [self._run(tensor[i : i + self._batch]) for i in range(0, len(tensor), self._batch)]
        rows = self.normalised(np.concatenate(parts))
        if flip:
            rows = self.mean([rows[: len(chips)], rows[len(chips) :]])
        return rows

    def mean(self, rows: Sequence[Embeddings], weights: Sequence[float] | None = None) -> Embeddings:
        return mean_embedding(np.stack(rows), weights)

    def normalised(self, rows: Embeddings) -> Embeddings:
        """Rows of the length that the metric wants."""
        if self.spec.metric == "cosine":
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return np.asarray(rows, np.float32)

    def _run(self, tensor: NDArray[Any]) -> Embeddings:
        with self._alone:
            rows = self.runner.run(np.ascontiguousarray(tensor, np.float32))[0]
        rows = np.array(rows, np.float32).reshape(len(rows), -1)
        expected = self.spec.embedding_size or rows.shape[1]
        if len(rows) != len(tensor) or rows.shape[1] < 16 or rows.shape[1] != expected:
            raise ModelError(
                f"{self.model_id} is no embedder of {expected} numbers: {len(tensor)} faces gave {rows.shape}"
            )
        return rows


def open_embedder(spec: ModelSpec, **runtime: Any) -> Embedder:
    """Loads ``spec``; ``runtime`` goes to :func:`face_af_inference.runtimes.open_runner`.

    Raises :class:`ModelError` when the file cannot be loaded or is another model.
    """
    alignment = spec.alignment or spec.family
    if alignment not in TEMPLATES:
        raise ModelError(f"{spec.name}: there is no alignment {alignment!r}; there are {', '.join(TEMPLATES)}")
    template, side = TEMPLATES[alignment]
    template = template * ((spec.size[0] if spec.size else side) / side)
    if spec.family not in ("arcface", "dlib", "facenet"):
        raise ModelError(f"{spec.name}: there is no embedder of the family {spec.family!r}")
    runner = open_runner(spec.network(), **runtime)
    if spec.family == "dlib":
        return Embedder(spec, runner, template, dlib_graph.MEAN_RGB, dlib_graph.SCALE)
    # FaceNet's graph brings each picture to mean 0 and deviation 1 itself: the manifest's 0 and 1 leave it as it is
    return Embedder(spec, runner, template, (spec.mean,) * 3, spec.std)
