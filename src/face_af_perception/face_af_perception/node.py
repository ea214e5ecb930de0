"""The perception node: ``image_raw`` to ``faces``."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

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
from face_af_common.names import canonical_name, short
from face_af_common.paths import gallery_dir
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
from .params import MODEL_PARAMETERS, PerceptionNodeParams
from .people_services_node import PeopleServices
from .pipeline import FacePipeline

_RETRY_S = (2.0, 5.0, 15.0, 60.0)


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
        self._loaded: tuple[FaceAnalyser, Gallery | None] | None = None
        self._loader: threading.Thread | None = None
        self._reload_wanted = False
        self._progress = ""
        self._model_problem = ""
        self._gallery_problem = ""
        self._retrainer = Retrainer()
        self._image_problem = ""
        self._target_unknown = False
        self._failures = 0
        self._retry_at = 0.0
        self._used = self._live.value

        self._answers = Answers(self, FaceArray, "faces")
        self._frames = FrameSubscription(self, "image_raw", self._on_frame, self._on_image_error)
        serve(self, SetTarget, "set_target", self._on_set_target)
        self._people = PeopleServices(self, self._parts, self._newest_face)
        self.create_timer(0.2, self._keep_loaded, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._load()

    # -- models and gallery ------------------------------------------------------------------------------------------

    def _load(self, analyser: FaceAnalyser | None = None) -> None:
        """Loads the models and the gallery in a thread; the gallery only, where ``analyser`` is there already."""
        if analyser is None:
            self._reload_wanted = False
            self._used = self._live.value
        self._loader = threading.Thread(target=self._load_in_thread, args=(self._live.value, analyser), daemon=True)
        self._loader.start()

    def _load_in_thread(self, params: PerceptionNodeParams, analyser: FaceAnalyser | None) -> None:
        if analyser is None:
            try:
                analyser = FaceAnalyser.of(params, on_progress=self._say)
                analyser.warm_up()
            except ModelError as error:
                self._model_problem = str(error)
                return
            except Exception as error:  # of a runtime, or of memory: tried again like everything else
                self._model_problem = short(f"the models cannot be loaded ({type(error).__name__}: {error})", 300)
                return
            self._model_problem = ""
        self._loaded = (analyser, self._open_gallery(params, analyser))

    def _say(self, line: str) -> None:
        self._progress = line
        self.get_logger().info(line)

    def _open_gallery(self, params: PerceptionNodeParams, analyser: FaceAnalyser) -> Gallery | None:
        folder = gallery_dir(params.gallery)
        try:
            gallery = Gallery.open(folder, analyser.embedder, create=True, progress=self._on_embedding)
        except GalleryError as error:
            self._gallery_problem = str(error)
            return None
        except Exception as error:
            self._gallery_problem = short(f"{folder}: cannot be read ({type(error).__name__}: {error})", 300)
            return None
        self._gallery_problem = ""
        if gallery.upper is not None:  # embeds the upper halves of faces here, rather than when the first mask is seen
            self.get_logger().debug(f"{len(gallery.upper)} samples are ready for faces with masks")
        return gallery

    def _on_embedding(self, done: int, total: int) -> None:
        self._progress = f"embedding the gallery's samples with another model: {done} of {total}"
        if done in (1, total):
            self.get_logger().info(self._progress)

    def _keep_loaded(self) -> None:
        """Takes over what the loader has brought, tries again after failures, reloads what changed on disk."""
        if self._loader is not None:
            if not self._loader.is_alive():
                self._loader.join()
                self._loader = None
                self._take_over()
        elif self._reload_wanted:
            self._load()
        elif self._pipeline is None:
            if self._model_problem and time.monotonic() > self._retry_at:
                self._load()
        elif self._gallery_is_old(self._pipeline.gallery):
            self._load(self._pipeline.analyser)
        elif self._pipeline.gallery is not None:
            self._retrainer.tend(self._pipeline.gallery)
        self._report_health()

    def _take_over(self) -> None:
        """Uses what the loader has brought."""
        if self._loaded is None:
            self._retry_at = time.monotonic() + _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
            self._failures += 1
            return
        (analyser, gallery), self._loaded = self._loaded, None
        self._failures = 0
        people = len(gallery.names) if gallery is not None else 0
        if gallery is None:
            self._retry_at = time.monotonic() + _RETRY_S[1]
        if self._pipeline is None or self._pipeline.analyser is not analyser:
            self._pipeline = FacePipeline(self._live.value, analyser, gallery)
            spec = analyser.detector.spec.name, analyser.embedder.name, analyser.embedder.runtime
            self.get_logger().info("{} and {} by {}, {} people in the gallery".format(*spec, people))
        elif gallery is not None:  # else it goes on with what it had
            self._pipeline.gallery = gallery
            self.get_logger().info(f"gallery read again: {people} people")

    def _gallery_is_old(self, gallery: Gallery | None) -> bool:
        """Whether it should be read (again); after a failure not at once."""
        if self._gallery_problem and time.monotonic() < self._retry_at:
            return False
        return bool(self._gallery_problem) if gallery is None else gallery.changed_on_disk()

    def _report_health(self) -> None:
        """One line for /diagnostics: the worst of what is wrong now."""
        pipeline, target = self._pipeline, canonical_name(self._live.value.target)
        names = pipeline.gallery.names if pipeline is not None and pipeline.gallery is not None else []
        self._target_unknown = bool(target) and pipeline is not None and target not in names
        if self._model_problem:
            self._health.fault(self._model_problem, ERROR)
        elif pipeline is None:
            if self._progress:
                self._health.message = self._progress
        elif self._gallery_problem:
            self._health.fault(self._gallery_problem, ERROR)
        elif self._image_problem:
            self._health.fault(self._image_problem, WARN)
        elif pipeline.gallery is not None and pipeline.gallery.complaint:
            self._health.fault(pipeline.gallery.complaint, WARN)
        elif self._retrainer.problem:
            self._health.fault(self._retrainer.problem, WARN)
        elif not names:
            where = pipeline.gallery.folder if pipeline.gallery is not None else ""
            self._health.fault(
                f"the gallery in {where} is empty: enrol somebody with `ros2 run face_af_people enrol`", WARN
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
            self._model_problem, self._pipeline = str(error), None
            self._retry_at = time.monotonic() + _RETRY_S[-1]
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
            raise GalleryError(self._gallery_problem or self._model_problem or "the models are still being loaded")
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
