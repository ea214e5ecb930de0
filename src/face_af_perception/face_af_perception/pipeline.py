"""Frames in, named faces out: detection, tracking and recognition together, without ROS."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from face_af_common.names import canonical_name
from face_af_common.types import Face
from face_af_gallery.gallery import Gallery

from .alignment import Picture
from .analyser import FaceAnalyser
from .params import PerceptionNodeParams
from .recognition import Recognizer
from .tracker import Track, Tracker

STEPS = ("prepare", "detect", "decode", "track", "embed", "match")


class FacePipeline:
    """One stream of frames. ``params``, ``gallery`` and ``target`` may be replaced between frames.

    ``timings`` holds the milliseconds of each of :data:`STEPS` for the newest frame.
    """

    def __init__(self, params: PerceptionNodeParams, analyser: FaceAnalyser, gallery: Gallery | None = None) -> None:
        self.analyser = analyser
        self.tracker = Tracker(params.tracker)
        self.recognizer = Recognizer(params.recognition, analyser.embedder, gallery)
        self.target = canonical_name(params.target)
        self.followed = 0
        """Track that is the target whoever it is; 0 = it goes by name."""
        self.timings: dict[str, float] = dict.fromkeys(STEPS, 0.0)
        self._stamp = -math.inf
        self._faces: list[Face] = []
        self._target_id = 0

    def use(self, params: PerceptionNodeParams) -> None:
        """Applies changed parameters from the next frame on."""
        self.tracker.params = params.tracker
        if self.recognizer.params != params.recognition:
            self.recognizer.params = params.recognition
            self._name_again()
        if canonical_name(params.target) != self.target:
            self.followed = 0
        self.target = canonical_name(params.target)

    @property
    def gallery(self) -> Gallery | None:
        return self.recognizer.gallery

    @gallery.setter
    def gallery(self, gallery: Gallery | None) -> None:
        self.recognizer.gallery = gallery
        self._name_again()

    def _name_again(self) -> None:
        for track in (*self.tracker.tracks, *self.tracker.lost):
            track.memory.gallery_version = track.against.gallery_version = -1

    def reset(self) -> None:
        """Forgets all tracks."""
        self.tracker.reset()
        self._stamp, self._faces, self._target_id = -math.inf, [], 0

    def process(self, bgr: Picture, stamp: float) -> list[Face]:
        """The faces of the frame ``bgr`` (H x W x 3 uint8) taken at ``stamp`` seconds.

        The same stamp again gives the same result without work; a stamp that jumps back starts a new scene. Raises
        ``PictureError``.
        """
        if stamp == self._stamp:
            return self._faces
        if stamp < self._stamp:
            self.reset()
        detector = self.analyser.detector
        with self._timed("prepare"):
            prepared = detector.prepare(bgr)
        with self._timed("detect"):
            outputs = detector.infer(prepared)
        with self._timed("decode"):
            found = detector.decode(outputs, prepared)
        with self._timed("track"):
            tracks = self.tracker.update(found, bgr, stamp)
        with self._timed("embed"):
            chosen = self.recognizer.choose(tracks, stamp)
            rows, weights = self.recognizer.embed(bgr, chosen)
        with self._timed("match"):
            for track, row, weight in zip(chosen, rows, weights, strict=True):
                self.recognizer.learn(self.tracker, track, row, weight, stamp)
            self.recognizer.name(tracks)
            self._faces = self._result(tracks)
        self._stamp = stamp
        return self._faces

    def _result(self, tracks: list[Track]) -> list[Face]:
        """The tracks as faces.

        Of two with the same name the less alike one is not named, unless they are about equally alike (a screen on
        stage that shows the person). Of several that are the target, the one that was it before stays it.
        """
        alike = [self._similarity(track) for track in tracks]
        best: dict[str, float] = {}
        for track, similarity in zip(tracks, alike, strict=True):
            best[track.identity] = max(best.get(track.identity, -1.0), similarity)
        margin = self.recognizer.params.margin
        names = [t.identity if s >= best[t.identity] - margin else "" for t, s in zip(tracks, alike, strict=True)]
        named = [
            (t.memory.id == self._target_id, s, t)
            for t, s, name in zip(tracks, alike, names, strict=True)
            if self._is_wanted(t, name)
        ]
        chosen = max(named, key=lambda entry: entry[:2])[2] if named else None
        self._target_id = chosen.memory.id if chosen is not None else 0
        return [
            Face(
                track.memory.id,
                track.detection.box,
                track is chosen,
                similarity,
                track.detection.score,
                tuple(float(v) for v in track.detection.landmarks.ravel()),
                name,
            )
            for track, similarity, name in zip(tracks, alike, names, strict=True)
        ]

    def knows(self, track_id: int) -> bool:
        """Whether a face is in sight, or was a moment ago."""
        return any(track.memory.id == track_id for track in (*self.tracker.tracks, *self.tracker.lost))

    def _is_wanted(self, track: Track, name: str) -> bool:
        if self.followed:
            return track.memory.id == self.followed
        return bool(self.target) and name == self.target

    def _similarity(self, track: Track) -> float:
        """As it is published; 0.0 while it is not known whose face it is."""
        return 0.0 if track.similarity is None else self.analyser.embedder.scale.published(track.similarity)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.timings[step] = (time.perf_counter() - started) * 1e3
