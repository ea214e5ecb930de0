"""Follows faces from frame to frame by motion and colour. Who they are is kept apart, in each track's memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from face_af_common.types import Box

from .alignment import Picture
from .detectors import Detection
from .params import TrackerParams
from .scene_change import Change, SceneChange

Signature = NDArray[np.float32]
"""Colours of a face and the clothes below it, 6 x 4 x 3, 0 to 1."""

CONTESTED = 0.25
"""Share of a face that another one's box may cover before it is not looked at more closely."""

_CUT = 0.6
"""A face at the picture's side that is narrower than this share of its height is not all there."""

_JUMP = 0.05
_JUMPS = 3.0
"""A face whose colours change by more than this, and more than so many times what they usually do, may be another.

In shares of their level, so that a dark stage counts like a bright one. Real films: 0.03 to 0.05 from frame to frame,
0.2 for one face in a hundred, 0.25 to 1.4 where another person takes the place.
"""

_CONTRADICTIONS = 8
"""So many are kept of a face that is unlike its track, newest last."""

_FORBIDDEN = 1e3
_FARTHEST_LOST = 1.6
_LOST_WAITS = 0.3
_AMBIGUOUS = 0.35
_ODD = 0.4
"""Cost of an association (one in twenty on a lively stage) from which on a person may have stepped into the place."""
_SMOOTHING = 0.6
_SPEED_FADE_S = 0.4
_MAX_SIZE_RATIO = 1.8


@dataclass(eq=False)
class Memory:
    """What is known of the person on a track; moves to another track when the two were mixed up."""

    id: int
    """The ``track_id``; never given to anybody else."""
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    template: NDArray[np.float32] | None = None
    """Mean of the embeddings, weighted by quality."""
    upper: list[NDArray[np.float32]] = field(default_factory=list)
    upper_weights: list[float] = field(default_factory=list)
    """Of a face that wears a mask: the embeddings of its upper half, and their weights. Empty while it wears none."""
    embedded_at: float = -math.inf
    looks_by_first: int = 0
    """So many times in a row only the first of several embedders has looked at the face."""
    identity: str = ""
    similarity: float = 0.0
    gallery_version: int = -1
    watched_until: float = -math.inf
    """Stamp up to which the face is looked at often, since it has lost a name."""


@dataclass(eq=False)
class Contradiction:
    """Embeddings in a row that are unlike the person of a track, and what they weigh together."""

    rows: list[NDArray[np.float32]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    total: float = 0.0
    similarity: float = 0.0
    """Of their mean to the most alike person of the gallery."""
    gallery_version: int = -1

    def add(self, row: NDArray[np.float32], quality: float, evidence: float) -> None:
        """Another embedding of ``quality``, which speaks against the track by ``evidence`` (0 to ``quality``)."""
        self.rows.append(row)
        self.weights.append(quality)
        self.total += evidence
        del self.rows[:-_CONTRADICTIONS], self.weights[:-_CONTRADICTIONS]
        self.gallery_version = -1


@dataclass(eq=False)
class Track:
    """Where one face is and how it moves; pixels and pixels a second."""

    memory: Memory
    detection: Detection
    signature: Signature
    seen_at: float
    velocity: tuple[float, float] = (0.0, 0.0)
    hits: int = 1
    visible: bool = True
    doubtful: bool = False
    """The last association may be wrong: to be verified by an embedding."""
    nameless: bool = False
    """Its name is withheld until an embedding has settled who this is."""
    contested: bool = False
    """Another face, or the picture's edge, covers a good part of this one."""
    visible_share: float = 1.0
    """Share of the face that neither covers, 0 to 1."""
    restlessness: float = 2 * _JUMP
    """By how much its colours usually change from frame to frame."""
    against: Contradiction = field(default_factory=Contradiction)
    """What is seen of the face and unlike its memory; empty while they agree."""

    @property
    def similarity(self) -> float | None:
        """Of the face that is shown, to the most alike person; None while it is not known whose face it is."""
        if self.against.rows:
            return self.against.similarity
        return None if self.nameless or self.memory.template is None else self.memory.similarity

    @property
    def identity(self) -> str:
        """The name that is believed now; empty while there is none or it is in doubt."""
        return "" if self.nameless else self.memory.identity

    @property
    def size(self) -> float:
        return math.sqrt(max(1.0, self.detection.box.area))

    def predicted(self, stamp: float) -> tuple[float, float]:
        """The centre at ``stamp``; a face out of sight slows down."""
        dt = stamp - self.seen_at
        travel = _SPEED_FADE_S * (1 - math.exp(-dt / _SPEED_FADE_S))
        x, y = self.detection.box.center
        return x + self.velocity[0] * travel, y + self.velocity[1] * travel


class Tracker:
    """``update`` once a frame; ``tracks`` are those visible in the newest frame, ``lost`` those kept in mind."""

    def __init__(self, params: TrackerParams) -> None:
        self.params = params
        self.tracks: list[Track] = []
        self.lost: list[Track] = []
        self._ids = itertools.count(1)
        self._stamp = -math.inf
        self._scene = SceneChange()

    def reset(self) -> None:
        """Forgets everybody (a new scene); ids go on."""
        self.tracks, self.lost, self._stamp = [], [], -math.inf
        self._scene.reset()

    def new_memory(self) -> Memory:
        return Memory(next(self._ids))

    def update(self, found: Sequence[Detection], bgr: Picture, stamp: float) -> list[Track]:
        """Associates the faces ``found`` in the frame ``bgr`` at ``stamp`` seconds; returns the visible tracks."""
        self._stamp = stamp
        change = self._scene.update(bgr, stamp)
        signatures = [signature(bgr, face.box) for face in found]
        known = self.tracks + self.lost
        taken = self._associate(known, found, signatures, stamp)
        visible = []
        for i, face in enumerate(found):
            track = taken.get(i)
            if track is None:
                track = Track(self.new_memory(), face, signatures[i], stamp)
            else:
                track.doubtful |= change is not Change.NONE
                track.nameless |= change is Change.CUT
                self._move(track, face, signatures[i], stamp)
            visible.append(track)
        kept = {id(track) for track in visible}
        self.lost = [t for t in known if id(t) not in kept and stamp - t.seen_at <= self.params.keep_s]
        for track in self.lost:
            track.visible = False
        self._contest(visible, Box(0.0, 0.0, bgr.shape[1], bgr.shape[0]))
        self.tracks = visible
        return visible

    def _associate(
        self, known: Sequence[Track], found: Sequence[Detection], signatures: Sequence[Signature], stamp: float
    ) -> dict[int, Track]:
        """The track of each face that has one, by the face's index; notes which of them are doubtful."""
        taken: dict[int, Track] = {}
        if not known or not found:
            return taken
        cost = self._costs(known, found, signatures, stamp)
        rows, columns = linear_sum_assignment(cost)
        chosen = cost[rows, columns]
        others = cost.copy()
        others[rows, columns] = np.inf
        rivals = np.minimum(others[rows].min(1), others[:, columns].min(0))
        for i, row in enumerate(rows):
            if chosen[i] >= _FORBIDDEN:
                continue
            track = known[row]
            odd = not track.visible or bool(chosen[i] > _ODD)
            track.doubtful |= odd or bool(rivals[i] - chosen[i] < _AMBIGUOUS)
            track.nameless |= odd
            taken[int(columns[i])] = track
        return taken

    def _contest(self, visible: Sequence[Track], frame: Box) -> None:
        """Notes which faces are covered by others or cut off by the edges of ``frame``, and by how much."""
        for track in visible:
            box = track.detection.box
            hidden = max(
                (box.intersection(other.detection.box) for other in visible if other is not track), default=0.0
            )
            hidden += box.area - box.intersection(frame)
            narrow = box.width / (_CUT * max(1.0, box.height))
            cut = (box.x <= 1 or box.right >= frame.width - 1) and narrow < 1
            track.contested = cut or hidden > CONTESTED * max(1.0, box.area)
            track.doubtful |= track.contested
            track.visible_share = max(0.1, 1 - hidden / max(1.0, box.area)) * (narrow if cut else 1.0)

    def _costs(
        self, known: Sequence[Track], found: Sequence[Detection], signatures: Sequence[Signature], stamp: float
    ) -> NDArray[np.float64]:
        """For each track and each face how unlikely it is that they belong together; ``_FORBIDDEN``: impossible."""
        places = np.array([t.predicted(stamp) for t in known])
        sizes = np.array([t.size for t in known])
        away = np.maximum(0.0, stamp - np.array([t.seen_at for t in known]) - 0.1)
        visible = np.array([t.visible for t in known])
        centers = np.array([f.box.center for f in found])
        face_sizes = np.sqrt(np.maximum(1.0, [f.box.area for f in found]))

        reach = self.params.reach * (1 + 3 * away)[:, None] * np.maximum(sizes[:, None], face_sizes)
        distance = np.hypot(*(centers - places[:, None]).transpose(2, 0, 1))
        ratio = np.maximum(face_sizes / sizes[:, None], sizes[:, None] / face_sizes)
        colour = np.abs(np.stack([t.signature for t in known])[:, None] - np.stack(signatures)).mean((2, 3, 4))
        cost = distance / reach + np.log(ratio) + 4 * colour
        # a wrong guess about a track out of sight costs more than a new track, which is given its memory back as
        # soon as it is recognised
        impossible = (
            (distance > reach)
            | (ratio > _MAX_SIZE_RATIO * (1 + away)[:, None])
            | (~visible[:, None] & (cost >= _FARTHEST_LOST))
        )
        # a track out of sight waits for those that are seen
        cost += np.where(visible, 0.0, _LOST_WAITS)[:, None]
        return np.where(impossible, _FORBIDDEN, cost)

    def _move(self, track: Track, face: Detection, colours: Signature, stamp: float) -> None:
        dt = max(stamp - track.seen_at, 1e-3)
        (x0, y0), (x1, y1) = track.detection.box.center, face.box.center
        if track.visible:
            keep = _SMOOTHING if track.hits > 1 else 0.0
            track.velocity = (
                keep * track.velocity[0] + (1 - keep) * (x1 - x0) / dt,
                keep * track.velocity[1] + (1 - keep) * (y1 - y0) / dt,
            )
            change = float(np.abs(colours - track.signature).mean()) / max(1e-3, float(colours.mean()))
            track.doubtful |= change > max(_JUMP, _JUMPS * track.restlessness)
            track.restlessness += 0.1 * (change - track.restlessness)
            track.signature = 0.9 * track.signature + 0.1 * colours
        else:
            track.velocity = (0.0, 0.0)
            track.signature = colours
        track.detection, track.seen_at, track.visible = face, stamp, True
        track.hits += 1


def signature(bgr: Picture, box: Box) -> Signature:
    """The coarse colours of a face and of the clothes below it, from few pixels."""
    height, width = bgr.shape[:2]
    left, right = max(0, int(box.x - 0.25 * box.width)), min(width, int(box.right + 0.25 * box.width))
    top, bottom = max(0, int(box.y - 0.1 * box.height)), min(height, int(box.bottom + 0.9 * box.height))
    if right - left < 2 or bottom - top < 2:
        return np.zeros((6, 4, 3), np.float32)
    step = max(1, (right - left) // 24)
    part = bgr[top:bottom:step, left:right:step]
    return np.asarray(cv2.resize(part, (4, 6), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
