"""The services of perception that look after the gallery: list people, images, add a photograph, remove."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from face_af_common.images import BGR, ImageError, to_bgr, to_jpeg
from face_af_common.names import canonical_name
from face_af_common.services import serve
from face_af_common.types import Face
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_inference.runtimes import ModelError
from face_af_msgs import msg, srv

from . import gallery_desk
from .analyser import FaceAnalyser
from .detectors import Detection, PictureError

Parts = tuple[FaceAnalyser, Gallery]

_SHOWN_FOR_S = 120.0
"""How long the face that was shown last can be enrolled, seconds: long enough to ask for a name."""


@dataclass(frozen=True)
class _Shown:
    """The frame and the face of the image that was asked for last; ``at``: monotonic time, seconds."""

    bgr: BGR
    face: Face
    at: float


class PeopleServices:
    """``parts`` gives analyser and gallery, or raises :class:`GalleryError`; ``newest`` the frame and one of its faces.

    They answer in the thread of the node's executor: while a photograph is looked at, frames wait (they are few, and
    the same model may not be used twice at once).
    """

    def __init__(self, node: Node, parts: Callable[[], Parts], newest: Callable[[int], tuple[BGR, Face]]) -> None:
        self._parts, self._newest = parts, newest
        self._shown: _Shown | None = None
        for kind, name, answer in (
            (srv.EnrollFace, "enroll_face", self._enrol),
            (srv.ListPeople, "list_people", self._list),
            (srv.GetFaceImage, "get_face_image", self._image),
            (srv.AddPhotograph, "add_photograph", self._add),
            (srv.RemoveSample, "remove_sample", self._remove),
        ):
            serve(node, kind, name, _guarded(answer))

    def _enrol(self, request: srv.EnrollFace.Request, response: srv.EnrollFace.Response) -> None:
        analyser, gallery = self._parts()
        bgr, face = self._newest(request.track_id) if request.negative else self._chosen(request.track_id)
        analysed = analyser.embed(bgr, [Detection.of(face)])[0]
        with gallery.changing(gallery_desk.WRITER_S):
            sample = analyser.enrol(gallery, request.identity, bgr, analysed, request.negative)
        response.sample_id = sample.id
        what = "is kept as another person than" if request.negative else "is enrolled as"
        name = canonical_name(request.identity)
        response.message = f"track {face.track_id} {what} {name} (quality {analysed.quality:.2f})"

    def _chosen(self, track_id: int) -> tuple[BGR, Face]:
        """What was shown of this track a moment ago, else the newest frame: a name takes longer to type than a face
        may stay in sight, and what is enrolled is what a person has looked at."""
        shown, self._shown = self._shown, None
        if shown is None or shown.face.track_id != track_id or time.monotonic() - shown.at > _SHOWN_FOR_S:
            return self._newest(track_id)
        return shown.bgr, shown.face

    def _list(self, request: srv.ListPeople.Request, response: srv.ListPeople.Response) -> None:
        _, gallery = self._parts()
        name = request.identity
        entries = [gallery_desk.person(gallery, name)] if name else gallery_desk.people(gallery)
        response.people = [_person(entry, gallery.threshold) for entry in entries]

    def _image(self, request: srv.GetFaceImage.Request, response: srv.GetFaceImage.Response) -> None:
        analyser, gallery = self._parts()
        if request.track_id:
            bgr, face = self._newest(request.track_id)
            self._shown = _Shown(bgr, face, time.monotonic())
            picture: BGR | None = analyser.chip(bgr, Detection.of(face).landmarks).picture
        elif request.sample_id:
            chips = [gallery.chip(s) for s in gallery.samples(request.identity) if s.id == request.sample_id]
            picture = chips[0].picture if chips and chips[0] is not None else None
        else:
            picture = gallery.thumbnail(request.identity)
        if picture is None:
            raise GalleryError(f"there is no such image of {request.identity!r}")
        response.image = to_jpeg(picture, Header())

    def _add(self, request: srv.AddPhotograph.Request, response: srv.AddPhotograph.Response) -> None:
        analyser, gallery = self._parts()
        added = gallery_desk.add_photograph(analyser, gallery, request.identity, to_bgr(request.image), request.preview)
        response.message, response.sample_id = added.doubt, added.sample_id
        response.quality = float(added.quality)
        response.nearest, response.nearest_similarity = added.nearest.name, added.nearest.similarity
        response.chip = to_jpeg(added.chip, Header())

    def _remove(self, request: srv.RemoveSample.Request, response: srv.RemoveSample.Response) -> None:
        response.message = gallery_desk.remove(self._parts()[1], request.identity, request.sample_id)


def _guarded(answer: Callable[[Any, Any], None]) -> Callable[[Any, Any], Any]:
    """A service callback: what is wrong becomes the answer's message."""

    def reply(request: Any, response: Any) -> Any:
        try:
            answer(request, response)
            response.success = True
        except (GalleryError, ImageError, ModelError, PictureError) as error:
            response.message = str(error)
        return response

    return reply


def _person(entry: gallery_desk.PersonEntry, threshold: float) -> msg.Person:
    return msg.Person(
        identity=entry.name,
        samples=entry.samples,
        negatives=entry.negatives,
        nearest=entry.nearest.name,
        nearest_similarity=entry.nearest.similarity,
        threshold=float(threshold),
        faces=[
            msg.FaceSample(
                id=sample.id,
                quality=float(sample.quality),
                negative=sample.negative,
                added=sample.added,
                nearest=alike.name,
                nearest_similarity=alike.similarity,
            )
            for sample, alike in entry.faces
        ],
    )
