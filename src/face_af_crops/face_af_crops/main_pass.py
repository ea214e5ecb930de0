"""The second pass, on the spans only: who is in each frame, and the best crop of every moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box

from .bank import Bank, doubted
from .candidates import Candidate, PieceResult, encoded, perceptual_hash
from .engine import Engine, FoundFace, Image, SeenFace, pose
from .face_memory import FaceMemory
from .framing import Crop, best_crop, estimated_head, estimated_person, person_of
from .preview import draw_preview
from .settings import CropSettings, ratio
from .video import Frame, VideoFile

_TINY = (32, 18)
_TOO_FAR = "too far"
_BACK_SCORE = 0.01
"""Any visible face is better than a back."""
_NO_LANDMARKS = np.zeros((5, 2), np.float32)


@dataclass
class _Lock:
    """Where and when a person's face was seen last, and where the body is now (None: not looked for yet)."""

    time: float
    face: Box
    body: Box | None = None


@dataclass
class _Moment:
    """The best candidate so far of one person's moment, not yet encoded."""

    began: float
    candidate: Candidate
    crop: Image
    preview: Image | None


class MainPass:
    """One stretch of video. Nothing is carried over from another stretch, so that any machine can do any of them."""

    def __init__(self, video: VideoFile, engine: Engine, bank: Bank, settings: CropSettings) -> None:
        self._video = video
        self._engine = engine
        self._bank = bank
        self._settings = settings
        self._locks: dict[str, _Lock] = {}
        self._moments: dict[str, _Moment] = {}
        self._memory = FaceMemory()
        self._tiny: NDArray[np.float32] | None = None
        self._scene = 0
        self._found: list[Candidate] = []
        self._debug: list[str] = []

    def run(self, start: int, end: int) -> PieceResult:
        """Looks at frames ``start`` to before ``end``, every ``frame_stride``-th of the video's."""
        self._scene = start
        for frame in self._video.frames(start, end):
            if frame.index % self._settings.frame_stride == 0:
                self._look(frame)
        self._close_all()
        self._found.sort(key=lambda c: (c.frame, c.person))
        return PieceResult(tuple(self._found), tuple(self._debug))

    def _look(self, frame: Frame) -> None:
        image = frame.image()
        if self._is_cut(image):
            self._locks.clear()
            self._memory.clear()
            self._close_all()
            self._scene = frame.index
        found = self._engine.find(image, self._settings.face_det_conf, min(self._settings.min_face_px, 16))
        rows = self._rows(found, frame, image)
        faces = [SeenFace.of(face, row) for face, row in zip(found, rows, strict=True)]
        quality = np.array([face.quality for face in faces], np.float32)
        distances = doubted(self._bank.distances(rows), quality, self._settings)
        doubles = self._bank.distances_to_doubles(rows)
        verdicts = [
            self._consider(person, column, frame, image, faces, distances, doubles)
            for column, person in enumerate(self._bank.people)
        ]
        if self._settings.debug:
            self._debug.append(_debug_line(self._video, frame, faces, distances, verdicts))

    def _rows(self, found: list[FoundFace], frame: Frame, image: Image) -> NDArray[np.float32]:
        """F x D embeddings: remembered ones of faces that are where they were, but for those that a crop depends on."""
        known = self._memory.recall(found, frame.time)
        again = [i for i, row in enumerate(known) if row is None or self._may_win(found[i], row, frame.time)]
        rows = np.empty((len(found), self._engine.analyser.embedder.dimension), np.float32)
        for i, row in enumerate(known):
            if row is not None:
                rows[i] = row
        rows[again] = self._engine.embed(image, [found[i] for i in again])
        self._memory.keep(found, rows, again, frame.time)
        return rows

    def _may_win(self, face: FoundFace, row: NDArray[np.float32], time: float) -> bool:
        """Whether a face that is ``row``'s could be the best of somebody's moment."""
        s = self._settings
        for person, distance in zip(self._bank.people, self._bank.distances(row[None])[0], strict=True):
            moment = self._moments.get(person)
            # a score is at most the quality
            better = moment is None or self._is_over(moment, time) or face.quality > moment.candidate.score
            if better and distance <= s.face_thresh + s.lock_fd_slack:
                return True
        return False

    def _is_over(self, moment: _Moment, time: float) -> bool:
        return not self._settings.only_best or time - moment.began >= self._settings.min_gap_sec

    def _is_cut(self, image: Image) -> bool:
        tiny = cv2.resize(cv2.cvtColor(_sparse(image), cv2.COLOR_BGR2GRAY), _TINY, interpolation=cv2.INTER_AREA)
        now = np.asarray(tiny, np.float32) / 255
        before, self._tiny = self._tiny, np.asarray(now, np.float32)
        return before is not None and float(np.abs(now - before).mean()) > self._settings.scene_cut

    def _consider(
        self,
        person: str,
        column: int,
        frame: Frame,
        image: Image,
        faces: list[SeenFace],
        distances: NDArray[Any],
        doubles: NDArray[np.float32],
    ) -> dict[str, Any]:
        """What became of ``person`` in this frame, for the debug file."""
        verdict: dict[str, Any] = {"person": person}
        if not faces:
            return verdict | self._follow_body(person, frame, image, "no face")
        i = int(distances[:, column].argmin())
        face, distance = faces[i], float(distances[i, column])
        others = [float(d) for c, d in enumerate(distances[i]) if c != column]
        second = min([*others, float(doubles[i])])
        verdict |= {"face": i, "distance": round(distance, 4)}
        why = self._refusal(person, face, distance, second, frame.time)
        if why == _TOO_FAR:
            return verdict | self._follow_body(person, frame, image, why)
        if why:
            return verdict | {"lost": why}
        self._locks[person] = _Lock(frame.time, face.box)
        score = face.quality * (0.5 + 0.5 * max(0.0, 1 - distance))
        return verdict | self._improve(person, face, score, distance, second, frame, image)

    def _follow_body(self, person: str, frame: Frame, image: Image, why: str) -> dict[str, Any]:
        """A person who has just been recognised and turned round: the body in the same place, if that is asked for."""
        s, persons = self._settings, self._engine.persons
        lock = self._locks.get(person)
        if not s.allow_back or persons is None or lock is None or frame.time - lock.time > s.back_sec:
            return {"lost": why}
        bodies = persons.detect(image, s.min_det_conf, s.min_person_px)
        if lock.body is None:
            body = person_of(lock.face, bodies)
        else:
            before = lock.body
            body = max(bodies, key=before.iou, default=None)
            body = body if body is not None and body.iou(before) >= 0.5 else None
        if body is None:
            return {"lost": f"{why}, and no body in the same place"}
        lock.body = body
        head = estimated_head(body)
        back = SeenFace(head, 0.0, _NO_LANDMARKS, self._bank.rows(person)[0] * 0, 0.0, 0.0)
        return self._improve(person, back, _BACK_SCORE, -1.0, np.inf, frame, image)

    def _refusal(self, person: str, face: SeenFace, distance: float, second: float, time: float) -> str:
        """Why a face is not taken for ``person``'s, or is not worth a crop; empty where it is."""
        s = self._settings
        lock = self._locks.get(person)
        locked = lock is not None and time - lock.time <= s.lock_sec and lock.face.iou(face.box) >= s.lock_iou
        if distance > s.face_thresh + (s.lock_fd_slack if locked else 0.0):
            return _TOO_FAR
        if second - distance < s.face_margin:
            return "another person is as near"
        if face.box.height < s.min_face_px:
            return "face too small"
        if face.quality < s.face_quality_min:
            return "quality too low"
        return ""

    def _improve(
        self, person: str, face: SeenFace, score: float, distance: float, second: float, frame: Frame, image: Image
    ) -> dict[str, Any]:
        """Makes this frame the best of its moment, if it is."""
        s = self._settings
        moment = self._moments.get(person)
        if moment is not None and self._is_over(moment, frame.time):
            self._close(person)
            moment = None
        if moment is not None and score <= moment.candidate.score:
            return {"lost": "a better frame of the same moment", "score": round(score, 4)}
        crop, body, estimated, refused = self._cut(face, image)
        if crop is None:
            return {"lost": "no shape fits: " + ", ".join(f"{r.ratio} {r.why}" for r in refused)}
        cut = np.ascontiguousarray(image[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width])
        box, points = face.box, face.landmarks
        candidate = Candidate(
            person=person,
            frame=frame.index,
            time=frame.time,
            score=score,
            distance=distance,
            second=second if np.isfinite(second) else -1.0,
            box=(crop.x, crop.y, crop.width, crop.height),
            face=(box.x, box.y, box.width, box.height),
            ratio=crop.ratio,
            quality=face.quality,
            sharpness=face.sharpness,
            pose=pose(points) if distance >= 0 else "back",
            brightness=float(_sparse(cut).mean()) / 255,
            scene=self._scene,
            hash=perceptual_hash(cut),
            estimated=estimated,
            embedding=face.embedding,
            data=b"",
        )
        preview = draw_preview(image, candidate, body) if s.annot else None
        self._moments[person] = _Moment(moment.began if moment else frame.time, candidate, cut, preview)
        return {"score": round(score, 4), "crop": candidate.box, "ratio": crop.ratio, "estimated": estimated}

    def _cut(self, face: SeenFace, image: Image) -> tuple[Crop | None, Box, bool, list[Any]]:
        s = self._settings
        height, width = image.shape[:2]
        body = None
        if self._engine.persons is not None:
            body = person_of(face.box, self._engine.persons.detect(image, s.min_det_conf, s.min_person_px))
        estimated = body is None
        body = body or estimated_person(face.box, width, height)
        crop, refused = best_crop(body, face.box, width, height, s)
        return crop, body, estimated, refused

    def _close_all(self) -> None:
        for person in list(self._moments):
            self._close(person)

    def _close(self, person: str) -> None:
        from dataclasses import replace

        moment = self._moments.pop(person)
        s = self._settings
        data = encoded(resized(moment.crop, moment.candidate.ratio, s.long_side), s.format, s.quality)
        preview = encoded(moment.preview, "jpg", 85) if moment.preview is not None else b""
        self._found.append(replace(moment.candidate, data=data, preview=preview))


def resized(crop: Image, shape: str, long_side: int) -> Image:
    """``crop`` with its long side at most near ``long_side``, the ratio exact in whole pixels; 0: as it is."""
    if not long_side:
        return crop
    across, down = ratio(shape)
    k = max(1, long_side // max(across, down))
    smaller = k * across < crop.shape[1]
    flag = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (k * across, k * down), interpolation=flag), np.uint8)


def _sparse(image: Image) -> Image:
    """Every fourth pixel of every fourth row of a large image: enough for its brightness."""
    return np.ascontiguousarray(image[::4, ::4]) if min(image.shape[:2]) >= 128 else image


def _debug_line(
    video: VideoFile, frame: Frame, faces: list[SeenFace], distances: NDArray[Any], verdicts: list[dict[str, Any]]
) -> str:
    seen = [
        {
            "box": [round(v, 1) for v in (f.box.x, f.box.y, f.box.width, f.box.height)],
            "score": round(f.score, 3),
            "quality": round(f.quality, 3),
            "distances": [round(float(d), 4) for d in distances[i]],
        }
        for i, f in enumerate(faces)
    ]
    return json.dumps(
        {
            "video": video.path.name,
            "frame": frame.index,
            "time": round(frame.time, 3),
            "faces": seen,
            "people": verdicts,
        }
    )
