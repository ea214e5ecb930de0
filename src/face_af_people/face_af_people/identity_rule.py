"""Who the faces of a still image are: the rule that identify and evaluate share with the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Match
from face_af_perception import masks
from face_af_perception.analyser import AnalysedFace
from face_af_perception.identity_rule import overruled
from face_af_perception.params import RecognitionParams


@dataclass(frozen=True)
class Rule:
    """``threshold``: similarity from which on a face is named, 0: the gallery's; ``margin``: lead over the second."""

    threshold: float = 0.0
    margin: float = RecognitionParams().margin

    def name(self, gallery: Gallery, faces: Sequence[AnalysedFace]) -> list[tuple[str, float]]:
        """For each face the person's name, or empty, and the similarity to the best person as it is published.

        A face that wears a mask is compared by its upper half as well: where the whole face is nobody, or where both
        are most alike to different people, only a sure upper half gives a name.
        """
        if not faces:
            return []
        named = self._named(gallery, gallery.match(np.stack([face.embedding for face in faces])), self.margin)
        halves = {i: f.upper for i, f in enumerate(faces) if f.upper is not None and f.quality >= masks.CLEAR}
        upper = gallery.upper if halves else None
        if upper is not None and upper.names:
            matches = upper.match(np.stack(list(halves.values())))
            margin = max(self.margin, upper.embedder.margin)
            for i, match, found in zip(halves, matches, self._named(upper, matches, margin), strict=True):
                if overruled(named[i][0], match, upper):
                    named[i] = found
        return named

    def _named(self, gallery: Gallery, matches: Sequence[Match], margin: float) -> list[tuple[str, float]]:
        scale = gallery.embedder.scale
        threshold = scale.internal(self.threshold) if self.threshold else gallery.threshold
        named = []
        for match in matches:
            sure = match.similarity >= threshold and match.similarity - match.second >= margin
            named.append((match.identity if sure else "", scale.published(match.similarity)))
        return named
