"""Who the faces of a still image are: the rule that identify and evaluate share with the node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from face_af_gallery.gallery import Gallery
from face_af_perception import masks
from face_af_perception.analyser import AnalysedFace
from face_af_perception.params import RecognitionParams


@dataclass(frozen=True)
class Rule:
    """``threshold``: similarity from which on a face is named, 0: the gallery's; ``margin``: lead over the second."""

    threshold: float = 0.0
    margin: float = RecognitionParams().margin

    def name(self, gallery: Gallery, faces: Sequence[AnalysedFace]) -> list[tuple[str, float]]:
        """For each face the person's name, or empty, and the similarity to the best person as it is published.

        A face that wears a mask, and that is nobody as a whole, is compared by its upper half. Whatever it is by that
        must reach the threshold for upper halves.
        """
        if not faces:
            return []
        named = self._named(gallery, [face.embedding for face in faces], self.margin)
        clear = [face.upper is not None and face.quality >= masks.CLEAR for face in faces]
        covered = [i for i in range(len(faces)) if clear[i] and not named[i][0]]
        upper = gallery.upper if covered else None
        if upper is not None and upper.names:
            halves = [half for i in covered if (half := faces[i].upper) is not None]
            for i, found in zip(covered, self._named(upper, halves, max(self.margin, masks.MARGIN)), strict=True):
                named[i] = found
        return named

    def _named(
        self, gallery: Gallery, embeddings: Sequence[NDArray[np.float32]], margin: float
    ) -> list[tuple[str, float]]:
        scale = gallery.embedder.scale
        threshold = scale.internal(self.threshold) if self.threshold else gallery.threshold
        named = []
        for match in gallery.match(np.stack(embeddings)):
            sure = match.similarity >= threshold and match.similarity - match.second >= margin
            named.append((match.identity if sure else "", scale.published(match.similarity)))
        return named
