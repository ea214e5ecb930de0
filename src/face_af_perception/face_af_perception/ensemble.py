"""Several embedders as one. They err on different faces: together they know more people and fewer strangers.

A row is the members' embeddings side by side, each scaled by what its similarity is worth
(:mod:`face_af_gallery.calibration`), so that the similarity of two rows is the members' calibrated sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from face_af_gallery.calibration import USUAL_THRESHOLD, weights
from face_af_gallery.model import Embeddings, Points
from face_af_inference.ensembles import EnsembleEntry
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError

from .alignment import Picture
from .embedders import Embedder, FaceModel, open_embedder


class Ensemble(FaceModel):
    """``members``, the first of which looks at every face. Raises ``ValueError`` for an impossible ``threshold``.

    ``threshold``: the sum of the members' log-odds, with the share ``lead`` of its lead over that of the second best
    person, from which on a face is that of a person in a gallery. ``shares``: how much each member's log-odds count
    (1: fully). ``upper``: the threshold for the upper halves of faces, to whose log-odds the share ``upper_whole`` of
    the whole face's is added: a mask hides much of it, not all. ``upper_masked``: the log-odds that are taken off where
    the enrolled face wears a mask as well.
    """

    def __init__(
        self,
        members: Sequence[Embedder],
        threshold: float,
        lead: float = 0.0,
        shares: Sequence[float] = (),
        upper: float | None = None,
        upper_whole: float = 0.0,
        upper_masked: float = 0.0,
    ) -> None:
        shares = list(shares or [1.0] * len(members))
        self._of_upper = (lead, shares, upper, upper_whole, upper_masked)
        self._members = tuple(members)
        calibrations = [m.calibration.weighed(s) for m, s in zip(members, shares, strict=True)]
        self._weights = weights(calibrations, [m.strangers for m in members], threshold, lead)
        self._scales = np.sqrt(self._weights).astype(np.float32)
        self.unit = float(self._weights[0] / calibrations[0].slope)
        """Similarity of rows for one of log-odds, before the lead is added."""
        self.name = "+".join(m.name for m in members)
        self.model_id = "+".join(m.model_id for m in members)
        self.runtime = members[0].runtime
        self.threshold = USUAL_THRESHOLD
        self.strangers = 1 - float(self._weights @ [1 - m.strangers for m in members])
        self.lead = lead
        self.dimension = sum(m.dimension for m in members)
        self._ends = np.cumsum([m.dimension for m in members])[:-1]

    @property
    def members(self) -> Sequence[Embedder]:
        return self._members

    @cached_property
    def upper(self) -> FaceModel | None:
        """All members' together where that was measured; else that of the first member of which it was.

        The members themselves come behind their upper halves where whole faces count, too.
        """
        lead, shares, threshold, whole, masked = self._of_upper
        known = self._halves
        if threshold is None or len(known) < len(self._members):
            return known[0] if known else None
        if whole:
            known = [*known, *self._members]
            shares = [*shares, *(whole * share for share in shares)]
        upper = Ensemble(known, threshold, lead, shares)
        upper.masked_less = masked * upper.unit
        return upper

    @property
    def _halves(self) -> list[Embedder]:
        return [half for half in (m.upper for m in self._members) if half is not None]

    def embed_upper(
        self, bgr: Picture, landmarks: Sequence[Points], rows: Embeddings, flip: bool = False
    ) -> Embeddings:
        upper = self.upper
        assert upper is not None
        parts = [half.embed(bgr, landmarks, flip) for half in upper.members[: len(self._halves)]]
        if len(parts) < len(upper.members):
            parts += self.parts(rows)
        return upper.joined(parts)

    def joined(self, parts: Sequence[Embeddings]) -> Embeddings:
        return np.concatenate([part * scale for part, scale in zip(parts, self._scales, strict=True)], 1)

    def parts(self, rows: Embeddings) -> list[Embeddings]:
        split = np.split(rows, self._ends, axis=-1)
        return [part / scale for part, scale in zip(split, self._scales, strict=True)]

    def mean(self, rows: Sequence[Embeddings], weights: Sequence[float] | None = None) -> Embeddings:
        stacked = np.stack(rows)
        parts = np.split(stacked, self._ends, axis=-1)
        return np.concatenate(
            [m.mean(list(part), weights) for m, part in zip(self._members, parts, strict=True)], axis=-1
        )

    def complete(
        self,
        bgr: Picture,
        landmarks: Sequence[Points],
        first: Embeddings,
        known: Sequence[Embeddings | None],
        flip: bool = False,
    ) -> Embeddings:
        """N x D rows of faces of which the first member's rows are there.

        ``known``: where a face's row is given, the other members do not look at the face, and their numbers are taken
        from it.
        """
        looked_at = [i for i, row in enumerate(known) if row is None]
        parts = [first]
        for index, member in enumerate(self._members[1:], 1):
            part = np.empty((len(landmarks), member.dimension), np.float32)
            part[looked_at] = member.embed(bgr, [landmarks[i] for i in looked_at], flip)
            for i, row in enumerate(known):
                if row is not None:
                    part[i] = self.parts(row)[index]
            parts.append(part)
        return self.joined(parts)

    def warm_up(self) -> None:
        for member in self._members:
            member.warm_up()


def open_face_model(specs: Sequence[ModelSpec], together: EnsembleEntry | None = None, **runtime: Any) -> FaceModel:
    """Loads one embedder, or several as one; ``together``: what is known of this ensemble.

    ``runtime`` goes to :func:`face_af_inference.runtimes.open_runner`. Raises :class:`ModelError`.
    """
    members = [open_embedder(spec, **runtime) for spec in specs]
    if len(members) == 1:
        return members[0]
    if together is None:
        # each at its own threshold: stricter than it need be
        return Ensemble(members, sum(float(m.calibration.log_odds(m.threshold)) for m in members))
    try:
        return Ensemble(
            members,
            together.threshold,
            together.lead,
            together.weights,
            together.upper,
            together.upper_whole,
            together.upper_masked,
        )
    except ValueError as error:
        raise ModelError(f"{together.name}: {error}") from error
