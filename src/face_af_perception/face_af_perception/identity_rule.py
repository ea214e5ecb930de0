"""Names from embeddings: when a track gets a name of the gallery, keeps it, and loses it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from face_af_gallery.gallery import Gallery
from face_af_gallery.matching import similarity
from face_af_gallery.model import Embeddings, Match

from .embedders import FaceModel
from .params import RecognitionParams
from .tracker import Memory, Track

HYSTERESIS = 0.25
"""How far ``exit`` lies below ``enter``, in units of the embedder's threshold above strangers."""

COHORT = 64
"""So many strangers are remembered for each person, newest kept."""

SETTLED = 3
"""Embeddings after which a track is only refreshed."""


def overruled(whole: str, match: Match, upper: Gallery) -> bool:
    """Whether a masked face's upper half decides, and not what the ``whole`` face is named (empty: nobody).

    ``match``: the best person by the upper half. Whoever is not in ``upper`` yet cannot be contradicted.
    """
    return whole != match.identity and (not whole or whole in upper.names)


class IdentityRule:
    """Gives names to tracks. ``params`` and ``gallery`` may be replaced between frames."""

    def __init__(self, params: RecognitionParams, embedder: FaceModel, gallery: Gallery | None) -> None:
        self.params = params
        self.embedder = embedder
        self.gallery = gallery
        self._strangers: dict[str, dict[int, Embeddings]] = {}

    @property
    def enter(self) -> float:
        """Similarity from which on a face is given a name."""
        if self.params.enter:
            return self.embedder.scale.internal(self.params.enter)
        return self.gallery.threshold if self.gallery is not None else self.embedder.threshold

    @property
    def exit(self) -> float:
        """Similarity below which it loses the name again."""
        lower = self.enter - (self.embedder.above(HYSTERESIS) - self.embedder.threshold)
        return min(self.embedder.scale.internal(self.params.exit) if self.params.exit else lower, self.enter)

    def name(self, tracks: Sequence[Track]) -> None:
        """Names every track whose embeddings or whose gallery have changed."""
        gallery = self.gallery
        version = gallery.version if gallery is not None else 0
        stale = [t.memory for t in tracks if t.memory.template is not None and t.memory.gallery_version != version]
        shown = [t.against for t in tracks if t.against.rows and t.against.gallery_version != version]
        if not stale and not shown:
            return
        names = gallery.names if gallery is not None else []
        if gallery is None or not names:
            self._strangers.clear()
            for memory in stale:
                memory.identity, memory.similarity, memory.gallery_version = "", self.embedder.strangers, version
            for against in shown:
                against.similarity, against.gallery_version = self.embedder.strangers, version
            return
        rows = [m.template for m in stale if m.template is not None]
        rows += [self.embedder.mean(a.rows, a.weights) for a in shown]
        scores = gallery.scores(np.stack(rows))
        for memory, row in zip(stale, scores, strict=False):
            self._decide(memory, row, names, gallery.column(memory.identity))
            self._decide_by_upper_half(memory, gallery)
            memory.gallery_version = version
        for against, row in zip(shown, scores[len(stale) :], strict=True):
            against.similarity, against.gallery_version = float(row.max()), version
        if self.params.cohort:
            self._meet([t.memory for t in tracks if not t.nameless and not t.against.rows])

    def _decide(self, memory: Memory, row: Embeddings, names: list[str], held: int | None) -> None:
        best = int(row.argmax())
        second = float(np.partition(row, -2)[-2]) if len(row) > 1 else -math.inf
        assert memory.template is not None
        # one look is enough for who is clearly a person; a face half hidden or half turned gets a second one
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

    def _decide_by_upper_half(self, memory: Memory, gallery: Gallery) -> None:
        """Names a face that wears a mask, where the whole face is nobody or another person; two looks in a row are
        needed."""
        if len(memory.upper) < min(2, self.params.memory):
            return
        upper = gallery.upper
        if upper is None or not upper.names:
            return
        model = self.embedder.upper
        assert model is not None
        match = upper.match(model.mean(memory.upper, memory.upper_weights)[None])[0]
        if not overruled(memory.identity, match, upper):
            return
        margin = max(self.params.margin, model.margin)
        sure = match.similarity >= upper.threshold and match.similarity - match.second >= margin
        memory.identity = match.identity if sure else ""
        # on the scale of whole faces: what is published is the same on both
        memory.similarity = self.embedder.scale.internal(model.scale.published(match.similarity))

    def _meet(self, memories: Sequence[Memory]) -> None:
        """Whoever is seen beside a person, and is clearly not alike, is a stranger to that person from now on.

        A person whom the gallery might yet name is left alone: should the other one have the name wrongly, the right
        one must not be shut out.
        """
        settled = [m for m in memories if len(m.embeddings) >= min(SETTLED, self.params.memory)]
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
