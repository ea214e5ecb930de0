"""The perception node's core on recorded frames."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from face_af_common.images import BGR
from face_af_common.node_params import NODES
from face_af_common.params import build
from face_af_common.paths import gallery_dir
from face_af_common.types import Face

from ..bag.bag_folder import RecordingError
from .single_precision import single, single_box

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser
    from face_af_perception.detectors import Detection


class Perception:
    """Faces of frames. Raises :class:`RecordingError` when models or gallery cannot be used.

    Finding faces needs one image alone, so it may be done ahead and by several threads; following and naming them
    needs every frame in order.
    """

    def __init__(self, params: Mapping[str, Any], models: Perception | None = None) -> None:
        from face_af_perception.analyser import FaceAnalyser
        from face_af_perception.pipeline import FacePipeline

        value: Any = build(NODES["perception"], params).repeatable()
        # the models of an earlier run are used again: opening them takes longer than a short bag
        analyser, gallery = (models.analyser, models.gallery) if models else _open_models(value)
        self.analyser: FaceAnalyser = analyser
        self.gallery: Gallery | None = gallery
        self.target: str = value.target
        self._ahead = _Ahead()
        detector: Any = self._ahead
        self._pipeline = FacePipeline(value, FaceAnalyser(detector, analyser.embedder), gallery)
        # ONNX Runtime's sessions may be used by several threads at once, TensorRT's contexts may not
        self._alone = contextlib.nullcontext() if "onnxruntime" in analyser.detector.runner.name else threading.Lock()
        self._own = threading.local()

    def find(self, picture: BGR) -> list[Detection]:
        """The faces of an image; for any thread."""
        detector = getattr(self._own, "detector", None)
        if detector is None:
            # the network is shared, the working memory is not
            shared = self.analyser.detector
            detector = type(shared)(shared.spec, shared.runner, shared.size, shared.threshold)
            self._own.detector = detector
        prepared = detector.prepare(picture)
        with self._alone:
            outputs = detector.infer(prepared)
        return list(detector.decode(outputs, prepared))

    def __call__(self, picture: BGR, stamp_ns: int, found: list[Detection]) -> list[Face]:
        self._ahead.found = found
        faces = self._pipeline.process(picture, stamp_ns / 1e9)
        return [
            dataclasses.replace(
                face, box=single_box(face.box), similarity=single(face.similarity), score=single(face.score)
            )
            for face in faces
        ]


class _Ahead:
    """Stands where the pipeline has its detector, and knows already what is in the image."""

    def __init__(self) -> None:
        self.found: list[Detection] = []

    def prepare(self, _: BGR) -> None: ...

    def infer(self, _: None) -> None: ...

    def decode(self, _outputs: None, _prepared: None) -> list[Detection]:
        return self.found


def _open_models(value: Any) -> tuple[Any, Any]:
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError
    from face_af_perception.analyser import FaceAnalyser

    try:
        analyser = FaceAnalyser.of(value, threads=1)  # several images are looked at at once
        analyser.warm_up()
        folder = gallery_dir(value.gallery)
        return analyser, Gallery.open(folder, analyser.embedder) if folder.is_dir() else None
    except (ModelError, GalleryError) as error:
        raise RecordingError(str(error)) from error
