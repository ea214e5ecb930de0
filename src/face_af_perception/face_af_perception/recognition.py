"""Who is on each track: which faces to embed on a frame, and what their embeddings say together."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence

import numpy as np

from face_af_gallery.gallery import Gallery
from face_af_gallery.matching import mean_embedding, similarity
from face_af_gallery.model import Embeddings

from .alignment import Picture
from .embedders import Embedder
from .params import RecognitionParams
from .quality import frontality, quality
from .tracker import Memory, Track, Tracker

HYSTERESIS = 0.25
"""How far ``exit`` lies below ``enter``, in units of the embedder's threshold above strangers."""

COHORT = 64
"""So many strangers are remembered for each person, newest kept."""

SETTLED = 3
"""Embeddings after which a track is only refreshed."""

SPACING_S = 0.08
"""Time between these: frames right after one another show nearly the same."""

UNDECIDED_S = 0.15
"""A face that is nearly somebody (half hidden, turning) is looked at again after this time."""

CLEAR = 0.2
"""Quality below which an embedding cannot contradict what is known of a track."""

NAMED_REFRESH = 0.25
"""A face with a name is looked at again after this share of ``refresh_s``: a wrong name costs more than none."""

_FIRST_COST_MS = 5.0
_STALE = 3


class Recognizer:
    """Spends a budget of embeddings a frame on the tracks that need it most, and names tracks from the gallery."""

    def __init__(self, params: RecognitionParams, embedder: Embedder, gallery: Gallery | None) -> None:
        self.params = params
        self.embedder = embedder
        self.gallery = gallery
        self._cost_ms = _FIRST_COST_MS
        self._strangers: dict[str, dict[int, Embeddings]] = {}

    @property
    def enter(self) -> float:
        if self.params.enter:
            return self.params.enter
        return self.gallery.threshold if self.gallery is not None else self.embedder.threshold

    @property
    def exit(self) -> float:
        lower = self.enter - (self.embedder.above(HYSTERESIS) - self.embedder.threshold)
        return min(self.params.exit or lower, self.enter)

    def allowance(self) -> int:
        """How many faces may be embedded on a frame."""
        if self.params.per_frame:
            return self.params.per_frame
        return max(1, int(self.params.budget_ms / max(self._cost_ms, 0.01)))

    def choose(self, tracks: Sequence[Track], stamp: float) -> list[Track]:
        """The tracks to embed on this frame, most urgent first: doubtful, new, unsettled, one that is stale."""
        urgent: list[tuple[int, float, float, int, Track]] = []
        for track in tracks:
            memory = track.memory
            age = stamp - memory.embedded_at
            if track.contested:
                continue  # somebody else's face is in the way; what would be learned is a mixture
            if track.doubtful and memory.template is not None:
                rank = 0
            elif memory.template is None:
                rank = 1
            elif self._unsettled(memory, age):
                rank = 2
            elif age >= self.params.refresh_s * (NAMED_REFRESH if memory.identity else 1.0):
                rank = _STALE
            else:
                continue
            # of equals the one that was looked at longest ago, then the clearer one
            clear = frontality(track.detection.landmarks) * track.size
            urgent.append((rank, -min(age, 1e6), -clear, memory.id, track))
        urgent.sort(key=lambda entry: entry[:4])
        # those that were named together would all be due again together
        pressing = sum(rank < _STALE for rank, *_ in urgent)
        return [entry[4] for entry in urgent[: min(self.allowance(), pressing + 1)]]

    def _unsettled(self, memory: Memory, age: float) -> bool:
        nearly = not memory.identity and memory.similarity >= self.exit
        if len(memory.embeddings) < min(SETTLED, self.params.memory):
            return nearly or age >= SPACING_S
        return nearly and age >= UNDECIDED_S

    def embed(self, bgr: Picture, tracks: Sequence[Track]) -> tuple[Embeddings, list[float]]:
        """Embeddings (N x D) of the tracks' faces in ``bgr`` in one batch, and the faces' qualities."""
        started = time.perf_counter()
        chips = [self.embedder.chip(bgr, track.detection.landmarks) for track in tracks]
        rows = self.embedder.embed_chips(chips, self.params.flip)
        if tracks:
            spent = (time.perf_counter() - started) * 1e3 / len(tracks)
            self._cost_ms += 0.1 * (spent - self._cost_ms)
        return rows, [quality(t.detection.landmarks, chip) for t, chip in zip(tracks, chips, strict=True)]

    def learn(self, tracker: Tracker, track: Track, row: Embeddings, weight: float, stamp: float) -> None:
        """Takes one embedding (D numbers) of a track in; corrects the tracker where the face is somebody else's."""
        own = track.memory.template
        if own is None:
            if weight >= CLEAR:
                self._recover(tracker, track, row)
        elif self._alike(row, own) < self.exit:
            if weight < CLEAR:
                # too little to go by: look again, and do not call a doubtful face by its name meanwhile
                track.memory.embedded_at, track.nameless = stamp, track.doubtful
                return
            if not track.doubtful:
                # a grimace, or somebody else: the next frame decides
                track.memory.embedded_at, track.doubtful = stamp, True
                return
            self._correct(tracker, track, row)
        memory = track.memory
        memory.embeddings.append(row)
        memory.weights.append(weight)
        del memory.embeddings[: -self.params.memory], memory.weights[: -self.params.memory]
        memory.template = mean_embedding(np.stack(memory.embeddings)[:, None], memory.weights)[0]
        memory.embedded_at = stamp
        memory.gallery_version = -1
        track.doubtful = track.nameless = False

    def _recover(self, tracker: Tracker, track: Track, row: Embeddings) -> None:
        """A new face: one that was lost a moment ago and is found again elsewhere gets its memory back."""
        best = self._nearest(row, tracker.lost)
        if best is not None:
            track.memory = best.memory
            tracker.lost.remove(best)

    def _correct(self, tracker: Tracker, track: Track, row: Embeddings) -> None:
        """A known track shows another face: swapped with somebody, or somebody has stepped into its place."""
        best = self._nearest(row, [*tracker.lost, *(t for t in tracker.tracks if t is not track and t.doubtful)])
        if best is not None:
            track.memory, best.memory = best.memory, track.memory
            return
        tracker.lost.append(dataclasses.replace(track, visible=False))
        track.memory = tracker.new_memory()

    def _nearest(self, row: Embeddings, tracks: Sequence[Track]) -> Track | None:
        """The track whose memory is most alike to an embedding, if it is alike enough to be the same person."""
        known = [t for t in tracks if t.memory.template is not None]
        best = max(known, key=lambda t: self._alike(row, t.memory.template), default=None)
        return best if best is not None and self._alike(row, best.memory.template) >= self.enter else None

    def _alike(self, row: Embeddings, template: Embeddings | None) -> float:
        assert template is not None
        return float(similarity(row[None], template[None])[0, 0])

    def name(self, tracks: Sequence[Track]) -> None:
        """Names every track whose embeddings or whose gallery have changed."""
        version = self.gallery.version if self.gallery is not None else 0
        stale = [t.memory for t in tracks if t.memory.template is not None and t.memory.gallery_version != version]
        if not stale:
            return
        names = self.gallery.names if self.gallery is not None else []
        if self.gallery is None or not names:
            self._strangers.clear()
            for memory in stale:
                memory.identity, memory.similarity, memory.gallery_version = "", 0.0, version
            return
        scores = self.gallery.scores(np.stack([m.template for m in stale if m.template is not None]))
        for memory, row in zip(stale, scores, strict=True):
            self._decide(memory, row, names, self.gallery.column(memory.identity))
            memory.gallery_version = version
        if self.params.cohort:
            self._meet(tracks)

    def _meet(self, tracks: Sequence[Track]) -> None:
        """Whoever is seen beside a person, and is clearly not alike, is a stranger to that person from now on.

        Somebody whom the gallery might yet name is left alone: should the other one have the name wrongly, the right
        one must not be shut out.
        """
        settled = [t.memory for t in tracks if len(t.memory.embeddings) >= min(SETTLED, self.params.memory)]
        known = [i for i, m in enumerate(settled) if m.identity and m.similarity >= self.enter]
        if not known or len(settled) < 2:
            return
        templates = np.stack([m.template for m in settled if m.template is not None])
        unlike = similarity(templates, templates) < self.exit
        for i in known:
            name = settled[i].identity
            strangers = self._strangers.setdefault(name, {})
            for other in (settled[j] for j in np.flatnonzero(unlike[i])):
                certain = other.identity != name if other.identity else other.similarity < self.exit
                if certain and other.template is not None:
                    strangers[other.id] = other.template
            while len(strangers) > COHORT:
                del strangers[next(iter(strangers))]

    def _is_stranger(self, name: str, template: Embeddings, similarity_to_name: float) -> bool:
        """Whether a face is more alike to a stranger of ``name`` than to ``name``."""
        strangers = self._strangers.get(name)
        if not strangers or not self.params.cohort:
            return False
        return float(similarity(template[None], np.stack(list(strangers.values()))).max()) > similarity_to_name

    def _decide(self, memory: Memory, row: Embeddings, names: list[str], held: int | None) -> None:
        best = int(row.argmax())
        second = float(np.partition(row, -2)[-2]) if len(row) > 1 else -math.inf
        assert memory.template is not None
        # one look is enough for who is clearly somebody; a face half hidden or half turned gets a second one
        looks = len(memory.embeddings) >= min(2, self.params.memory)
        certain = self.enter if looks else 2 * self.enter - self.exit
        clear = (
            row[best] >= certain
            and row[best] - second >= self.params.margin
            and not self._is_stranger(names[best], memory.template, float(row[best]))
        )
        if held is not None and row[held] >= self.exit and not (clear and best != held):
            memory.similarity = float(row[held])
            return
        memory.identity = names[best] if clear else ""
        memory.similarity = float(row[best])
