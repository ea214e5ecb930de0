"""The perception node: ``image_raw`` to ``faces``."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from importlib import import_module

import cv2
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter

from face_af_common.answers import Answers
from face_af_common.conversions import face_to_msg
from face_af_common.diagnostics import ERROR, WARN, Health
from face_af_common.frames import Frame, FrameSubscription
from face_af_common.images import BGR, ImageError
from face_af_common.live_parameters import LiveParameters
from face_af_common.names import canonical_name
from face_af_common.services import serve
from face_af_common.stamps import to_ns
from face_af_common.types import Face
from face_af_gallery.classifier import NEAREST
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_gallery.retraining import Retrainer
from face_af_inference.runtimes import ModelError
from face_af_msgs.msg import FaceArray
from face_af_msgs.srv import SetTarget

from .analyser import FaceAnalyser
from .detectors import PictureError
from .loading import Loader
from .params import MODEL_PARAMETERS, PerceptionNodeParams
from .people_services_node import PeopleServices
from .pipeline import FacePipeline


@dataclass
class _Newest:
    """The newest frame and its faces."""

    bgr: BGR
    faces: list[Face]


class PerceptionNode(Node):
    """Loads its models in a thread of its own, so that it reports and listens while an engine is built."""

    def __init__(self) -> None:
        super().__init__("perception")
        cv2.setNumThreads(1)  # its thread pool and ONNX Runtime's would wait for each other
        self._live = LiveParameters(self, PerceptionNodeParams)
        self._live.on_change(self._on_parameters)
        self._health = Health(self, extra=self._figures)
        self._pipeline: FacePipeline | None = None
        self._newest: _Newest | None = None
        self._loader = Loader(self.get_logger().info)
        self._reload_wanted = False
        self._retrainer = Retrainer()
        self._image_problem = ""
        self._target_unknown = False
        self._used = self._live.value

        self._answers = Answers(self, FaceArray, "faces")
        self._frames = FrameSubscription(self, "image_raw", self._on_frame, self._on_image_error)
        serve(self, SetTarget, "set_target", self._on_set_target)
        self._people = PeopleServices(self, self._parts, self._newest_face)
        self.create_timer(0.2, self._keep_loaded, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._load()

    @staticmethod
    def prepare() -> None:
        """Imports what loading the models imports; touches no device, whose state no forked process could use."""
        for package in ("onnx", "onnxruntime"):
            with contextlib.suppress(ImportError):  # told where it is needed
                import_module(package)

    # -- models and gallery ------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Loads the models and the gallery in a thread."""
        self._reload_wanted = False
        self._used = self._live.value
        self._loader.start(self._used)

    def _keep_loaded(self) -> None:
        """Takes over what the loader has brought, tries again after failures, reloads what changed on disk."""
        loader, pipeline = self._loader, self._pipeline
        if loader.busy:
            loaded = loader.take()
            if loaded is not None:
                self._take_over(*loaded)
        elif self._reload_wanted:
            self._load()
        elif pipeline is None:
            if loader.model_problem and loader.may_retry:
                self._load()
        elif loader.wants_gallery(pipeline.gallery):
            loader.start(self._live.value, pipeline.analyser)
        elif pipeline.gallery is not None:
            self._retrainer.tend(pipeline.gallery)
        self._report_health()

    def _take_over(self, analyser: FaceAnalyser, gallery: Gallery | None) -> None:
        """Uses what the loader has brought."""
        people = len(gallery.names) if gallery is not None else 0
        if self._pipeline is None or self._pipeline.analyser is not analyser:
            self._pipeline = FacePipeline(self._live.value, analyser, gallery)
            spec = analyser.detector.spec.name, analyser.embedder.name, analyser.embedder.runtime
            self.get_logger().info("{} and {} by {}, {} people in the gallery".format(*spec, people))
        elif gallery is not None:  # else it goes on with what it had
            self._pipeline.gallery = gallery
            self.get_logger().info(f"gallery read again: {people} people")

    def _report_health(self) -> None:
        """One line for /diagnostics: the worst of what is wrong now."""
        pipeline, target = self._pipeline, canonical_name(self._live.value.target)
        names = pipeline.gallery.names if pipeline is not None and pipeline.gallery is not None else []
        self._target_unknown = bool(target) and pipeline is not None and target not in names
        if self._loader.model_problem:
            self._health.fault(self._loader.model_problem, ERROR)
        elif pipeline is None:
            if self._loader.progress:
                self._health.message = self._loader.progress
        elif self._loader.gallery_problem:
            self._health.fault(self._loader.gallery_problem, ERROR)
        elif self._image_problem:
            self._health.fault(self._image_problem, WARN)
        elif pipeline.gallery is not None and pipeline.gallery.complaint:
            self._health.fault(pipeline.gallery.complaint, WARN)
        elif self._retrainer.problem:
            self._health.fault(self._retrainer.problem, WARN)
        elif not names:
            where = pipeline.gallery.folder if pipeline.gallery is not None else ""
            self._health.fault(
                f"the gallery in {where} is empty: enrol a person with `ros2 run face_af_people enrol`", WARN
            )
        elif target and target not in names:
            self._health.fault(_unknown(target, names), WARN)
        elif self._health.level in (WARN, ERROR):
            self._health.recovered()

    # -- parameters --------------------------------------------------------------------------------------------------

    def _on_parameters(self, params: PerceptionNodeParams) -> None:
        old, self._used = self._used, params
        # both take seconds, and are read in a thread
        if any(getattr(old, name) != getattr(params, name) for name in (*MODEL_PARAMETERS, "gallery")):
            self._reload_wanted = True
        if self._pipeline is not None:
            self._pipeline.use(params)

    # -- frames ------------------------------------------------------------------------------------------------------

    def _on_image_error(self, error: ImageError | PictureError) -> None:
        self._image_problem = str(error)

    def _on_frame(self, frame: Frame) -> None:
        pipeline, stamp = self._pipeline, frame.stamp_ns
        if pipeline is None or self._answers.repeated(stamp):
            return
        started = time.perf_counter()
        try:
            faces = pipeline.process(frame.bgr, stamp / 1e9)
        except PictureError as error:
            self._on_image_error(error)
            return
        except ModelError as error:
            # the network does not do what its description says
            self._pipeline = None
            self._loader.blame(str(error))
            return
        self._image_problem = ""
        result = FaceArray(
            header=frame.header,
            width=frame.bgr.shape[1],
            height=frame.bgr.shape[0],
            faces=[face_to_msg(face) for face in faces],
            target=pipeline.target,
            followed_track_id=pipeline.followed,
            target_unknown=self._target_unknown,
            inference_ms=(time.perf_counter() - started) * 1e3,
        )
        self._answers.publish(result)
        self._newest = _Newest(frame.bgr, faces)
        now = to_ns(self.get_clock().now().to_msg())
        self._health.tick(stamp, (now - stamp) / 1e9)

    def _figures(self) -> dict[str, object]:
        pipeline = self._pipeline
        if pipeline is None:
            return {"target": self._live.value.target}
        analyser = pipeline.analyser
        figures: dict[str, object] = {
            "detector": analyser.detector.spec.name,
            "embedder": analyser.embedder.name,
            "runtime": analyser.detector.runner.name,
            "people": len(pipeline.gallery.names) if pipeline.gallery is not None else 0,
            "names by": _method(pipeline.gallery),
            "target": pipeline.target,
            "tracks": len(pipeline.tracker.tracks),
        }
        return figures | {f"{step}_ms": f"{spent:.1f}" for step, spent in pipeline.timings.items()}

    # -- services ----------------------------------------------------------------------------------------------------

    def _on_set_target(self, request: SetTarget.Request, response: SetTarget.Response) -> SetTarget.Response:
        name = canonical_name(request.identity)
        followed = 0 if name else request.track_id
        try:
            gallery = self._parts()[1]
            if name and name not in gallery.names:
                raise GalleryError(_unknown(name, gallery.names))
            if followed and self._pipeline is not None and not self._pipeline.knows(followed):
                raise GalleryError(f"face {followed} is not in sight any more")
        except GalleryError as error:
            response.message = str(error)
            return response
        # through the parameter, so that `ros2 param get` tells the truth
        result = self.set_parameters([Parameter("target", Parameter.Type.STRING, name)])[0]
        response.success, response.message = result.successful, result.reason
        if result.successful and self._pipeline is not None:
            self._pipeline.followed = followed
            nobody = "there is no target now"
            response.message = (
                f"the target is {name}" if name else f"face {followed} is followed" if followed else nobody
            )
        return response

    def _parts(self) -> tuple[FaceAnalyser, Gallery]:
        pipeline = self._pipeline
        if pipeline is None or pipeline.gallery is None:
            raise GalleryError(
                self._loader.gallery_problem or self._loader.model_problem or "the models are still being loaded"
            )
        return pipeline.analyser, pipeline.gallery

    def _newest_face(self, track_id: int) -> tuple[BGR, Face]:
        """The newest frame, and a face of it: the largest for 0. Raises :class:`GalleryError`."""
        newest = self._newest
        if newest is None or not newest.faces:
            raise GalleryError("there is no face in the newest frame")
        if track_id == 0:
            return newest.bgr, max(newest.faces, key=lambda f: f.box.area)
        faces = {f.track_id: f for f in newest.faces}
        if track_id not in faces:
            raise GalleryError(f"track {track_id} is not in the newest frame; there are {', '.join(map(str, faces))}")
        return newest.bgr, faces[track_id]


def _method(gallery: Gallery | None) -> str:
    made = gallery.classifier if gallery is not None else None
    return made.method if made is not None else NEAREST


def _unknown(name: str, names: list[str]) -> str:
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"there is nobody called {name!r} in the gallery; there are {shown}" if names else "the gallery is empty"
