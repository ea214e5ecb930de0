"""Which faces to embed on a frame, and what an embedding says about the track: the same person, or another."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

import numpy as np

from face_af_gallery.gallery import Gallery
from face_af_gallery.matching import similarity
from face_af_gallery.model import Embeddings

from . import masks
from .alignment import Picture
from .embedders import FaceModel
from .identity_rule import SETTLED, IdentityRule
from .params import RecognitionParams
from .quality import frontality, quality
from .tracker import Contradiction, Memory, Track, Tracker

SPACING_S = 0.08
"""Time between the first looks at a face: frames right after one another show nearly the same."""

UNDECIDED_S = 0.15
"""A face that is nearly a person (half hidden, turning), or unlike its track, is looked at again after this time."""

CLEAR = 0.2
"""Quality of an embedding that is evidence by itself. Of less clear ones so much is needed together."""

SAME_SHOT = 0.3
"""How far above ``enter`` the embeddings of one face in one shot are alike, in units as of ``HYSTERESIS``.

99 of 100 embeddings of faces in four films, of any quality, are more alike to those before: 0.55 with MobileFaceNet,
0.89 with dlib.
"""

_STEADY = 3.0
"""So many times more evidence is needed against a face that was followed without a doubt: people turn away."""

_UNLIKE_LEAST = 0.25
"""An embedding that is nearly alike enough is at least this share of its quality against the track."""

LOOKS_BY_FIRST = 3
"""Of several embedders, so many looks in a row by the first one alone are enough; then all look again."""

NEAR_ENTER = 0.15
"""A face as near as this to the threshold is looked at by all embedders."""

NAMED_REFRESH = 0.25
"""A face with a name is looked at again after this share of ``refresh_s``: a wrong name costs more than none."""

RENOUNCED_S = 5.0
"""A face that has lost its name is looked at often for so long: it may only have turned away."""

_FIRST_COST_MS = 5.0
_STALE = 3


class Recognizer:
    """Spends a budget of embeddings a frame on the tracks that need it most, and names tracks from the gallery."""

    def __init__(self, params: RecognitionParams, embedder: FaceModel, gallery: Gallery | None) -> None:
        self.embedder = embedder
        self.rule = IdentityRule(params, embedder, gallery)
        self._cost_ms = _FIRST_COST_MS

    @property
    def params(self) -> RecognitionParams:
        return self.rule.params

    @params.setter
    def params(self, params: RecognitionParams) -> None:
        self.rule.params = params

    @property
    def gallery(self) -> Gallery | None:
        return self.rule.gallery

    @gallery.setter
    def gallery(self, gallery: Gallery | None) -> None:
        self.rule.gallery = gallery

    @property
    def enter(self) -> float:
        return self.rule.enter

    @property
    def exit(self) -> float:
        return self.rule.exit

    def name(self, tracks: Sequence[Track]) -> None:
        """Names every track whose embeddings or whose gallery have changed."""
        self.rule.name(tracks)

    def allowance(self) -> int:
        """How many faces may be embedded on a frame."""
        if self.params.per_frame:
            return self.params.per_frame
        return max(1, int(self.params.budget_ms / max(self._cost_ms, 0.01)))

    # -- which faces -------------------------------------------------------------------------------------------------

    def choose(self, tracks: Sequence[Track], stamp: float) -> list[Track]:
        """The tracks to embed on this frame, most urgent first: doubtful, new, unsettled, one that is stale."""
        urgent: list[tuple[int, bool, float, float, int, Track]] = []
        for track in tracks:
            rank = self._urgency(track, stamp - track.memory.embedded_at, stamp)
            if rank is not None:
                memory = track.memory
                # of equals those with a name, then the one that was looked at longest ago, then the clearer one
                age = min(stamp - memory.embedded_at, 1e6)
                clear = frontality(track.detection.landmarks) * track.size
                urgent.append((rank, rank == 0 and not memory.identity, -age, -clear, memory.id, track))
        urgent.sort(key=lambda entry: entry[:5])
        # those that were named together would all be due again together
        pressing = sum(rank < _STALE for rank, *_ in urgent)
        return [entry[5] for entry in urgent[: min(self.allowance(), pressing + 1)]]

    def _urgency(self, track: Track, age: float, stamp: float) -> int | None:
        """0 for the most urgent; None for a track that need not, or must not, be embedded on this frame."""
        memory = track.memory
        if track.contested and (memory.template is None or age < UNDECIDED_S):
            return None  # something is in the way: enough to doubt a name, not enough to give one
        if memory.template is None:
            return 1
        if track.doubtful and not track.contested:
            return 0
        if self._unsettled(track, age, stamp):
            return 2
        return _STALE if age >= self.params.refresh_s * (NAMED_REFRESH if memory.identity else 1.0) else None

    def _unsettled(self, track: Track, age: float, stamp: float) -> bool:
        memory = track.memory
        nearly = not memory.identity and (memory.similarity >= self.exit or stamp < memory.watched_until)
        nearly |= bool(track.against.rows) or track.contested
        if len(memory.embeddings) < min(SETTLED, self.params.memory):
            return nearly or age >= SPACING_S
        return nearly and age >= UNDECIDED_S

    def embed(self, bgr: Picture, tracks: Sequence[Track]) -> tuple[Embeddings, list[float]]:
        """Embeddings (N x D) of the tracks' faces in ``bgr`` in one batch, and the faces' qualities."""
        started = time.perf_counter()
        first = self.embedder.members[0]
        landmarks = [track.detection.landmarks for track in tracks]
        chips = [first.chip(bgr, points) for points in landmarks]
        looks = first.embed_chips(chips, self.params.flip)
        known = [t.memory.template if self._is_clear(t, look) else None for t, look in zip(tracks, looks, strict=True)]
        for track, template in zip(tracks, known, strict=True):
            track.memory.looks_by_first = 0 if template is None else track.memory.looks_by_first + 1
        rows = self.embedder.complete(bgr, landmarks, looks, known, self.params.flip)
        self._look_at_masks(bgr, tracks, chips, rows)
        if tracks:
            spent = (time.perf_counter() - started) * 1e3 / len(tracks)
            self._cost_ms += 0.1 * (spent - self._cost_ms)
        return rows, [
            quality(t.detection.landmarks, chip) * t.visible_share**2 for t, chip in zip(tracks, chips, strict=True)
        ]

    def _look_at_masks(self, bgr: Picture, tracks: Sequence[Track], chips: Sequence[Picture], rows: Embeddings) -> None:
        """Embeds the upper halves of faces that wear masks."""
        if self.embedder.upper is None or self.gallery is None or not self.gallery.names:
            return
        # whom the whole face has named, without a mask in sight, needs no more
        asked = [i for i, t in enumerate(tracks) if t.memory.upper or not t.memory.identity]
        if not asked:
            return
        wearing = self.embedder.members[0].masked([chips[i] for i in asked])
        for i, yes in zip(asked, wearing, strict=True):
            track, memory = tracks[i], tracks[i].memory
            if not yes or track.contested:
                memory.upper, memory.upper_weights = [], []
                continue
            points = track.detection.landmarks
            worth = quality(points, chips[i])
            if worth < masks.CLEAR:
                continue
            memory.upper.append(self.embedder.embed_masked(bgr, [points], rows[i][None], self.params.flip)[0])
            memory.upper_weights.append(worth)
            del memory.upper[: -self.params.memory], memory.upper_weights[: -self.params.memory]
            memory.gallery_version = -1

    def _is_clear(self, track: Track, look: Embeddings) -> bool:
        """Whether the first embedder alone says that a face is its track's person, and nothing is at stake.

        Then the other embedders need not look. Everything new, doubtful or near the threshold is seen by all of them.
        """
        memory, first = track.memory, self.embedder.members[0]
        if memory.template is None or len(memory.embeddings) < min(SETTLED, self.params.memory):
            return False
        if track.doubtful or track.contested or track.nameless or track.against.rows:
            return False
        if memory.looks_by_first >= LOOKS_BY_FIRST or abs(memory.similarity - self.enter) < NEAR_ENTER:
            return False
        alike = float(similarity(look[None], self.embedder.parts(memory.template)[0][None])[0, 0])
        return alike >= first.above(SAME_SHOT)

    # -- what they say -----------------------------------------------------------------------------------------------

    def learn(self, tracker: Tracker, track: Track, row: Embeddings, weight: float, stamp: float) -> None:
        """Takes one embedding (D numbers) of a track in; corrects the tracker where the face is another person's."""
        memory = track.memory
        memory.embedded_at = stamp
        rows, weights = [row], [weight]
        if memory.template is None:
            if weight >= CLEAR:
                self._recover(tracker, track, row)
        elif not self._agrees(track, row, weight):
            if not self._is_somebody_else(track, weight):
                return
            if not self._exchange(tracker, track, row):
                rows, weights = track.against.rows, track.against.weights
                self._replace(tracker, track, stamp)
        track.doubtful = track.contested
        track.nameless = False
        track.against = Contradiction()
        if not track.contested:
            self._remember(track.memory, rows, weights, stamp)

    def _agrees(self, track: Track, row: Embeddings, weight: float) -> bool:
        """Whether an embedding shows the person of the track; what speaks against it is kept in ``track.against``."""
        memory = track.memory
        assert memory.template is not None
        alike = float(similarity(row[None], memory.template[None])[0, 0])
        same_shot = self.enter + self.embedder.above(SAME_SHOT) - self.embedder.threshold
        bar = same_shot if track.doubtful else self.exit
        if alike >= bar:
            return True
        if track.doubtful and alike >= self.exit and self._still_named(track, row):
            return True
        if not memory.identity and not track.doubtful and weight < CLEAR:
            return True  # nobody's name is at stake: the track learns how this face looks now
        unlike = (bar - alike) / max(1e-3, self.enter - self.embedder.strangers)
        track.against.add(row, weight, weight * min(1.0, max(_UNLIKE_LEAST, unlike)))
        return False

    def _still_named(self, track: Track, row: Embeddings) -> bool:
        """Whether one embedding alone confirms the track's name; one that is withheld must be earned again."""
        column = self.gallery.column(track.memory.identity) if self.gallery is not None else None
        if self.gallery is None or column is None:
            return True
        return bool(self.gallery.scores(row[None])[0, column] >= (self.enter if track.nameless else self.exit))

    def _is_somebody_else(self, track: Track, weight: float) -> bool:
        """Whether the contradictions suffice to give the track up; fewer of them withhold its name."""
        total = track.against.total
        if track.contested:
            track.nameless |= total >= CLEAR  # what covers the face may be what contradicts
            return False
        if track.doubtful:
            track.nameless = True
            return total >= CLEAR
        if weight >= CLEAR:
            track.doubtful = True  # a grimace, or another person: the next frame decides
            return False
        track.nameless |= total >= CLEAR
        return total >= _STEADY * CLEAR

    def _remember(self, memory: Memory, rows: Sequence[Embeddings], weights: Sequence[float], stamp: float) -> None:
        memory.embeddings += rows
        memory.weights += weights
        del memory.embeddings[: -self.params.memory], memory.weights[: -self.params.memory]
        memory.template = self.embedder.mean(memory.embeddings, memory.weights)
        memory.embedded_at = stamp
        memory.gallery_version = -1

    def _recover(self, tracker: Tracker, track: Track, row: Embeddings) -> None:
        """A new face: one that was lost a moment ago and is found again elsewhere gets its memory back."""
        best = self._nearest(row, tracker.lost)
        if best is not None:
            track.memory = best.memory
            tracker.lost.remove(best)

    def _exchange(self, tracker: Tracker, track: Track, row: Embeddings) -> bool:
        """A known track shows a person who is known too: the two were mixed up, and exchange what is known."""
        best = self._nearest(row, [*tracker.lost, *(t for t in tracker.tracks if t is not track and t.doubtful)])
        if best is None:
            return False
        track.memory, best.memory = best.memory, track.memory
        return True

    def _replace(self, tracker: Tracker, track: Track, stamp: float) -> None:
        """A person new has stepped into the place of a known track."""
        tracker.lost.append(dataclasses.replace(track, visible=False, against=Contradiction()))
        named = bool(track.memory.identity)
        track.memory = tracker.new_memory()
        if named:
            track.memory.watched_until = stamp + RENOUNCED_S

    def _nearest(self, row: Embeddings, tracks: Sequence[Track]) -> Track | None:
        """The track whose memory is most alike to an embedding, if it is alike enough to be the same person."""
        known = [t for t in tracks if t.memory.template is not None]
        if not known:
            return None
        alike = similarity(row[None], np.stack([t.memory.template for t in known if t.memory.template is not None]))[0]
        best = int(alike.argmax())
        return known[best] if alike[best] >= self.enter else None
