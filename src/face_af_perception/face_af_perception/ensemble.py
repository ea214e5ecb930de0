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
from face_af_inference.ensembles import EnsembleEntry, UpperEntry
from face_af_inference.model_files import ModelSpec
from face_af_inference.runtimes import ModelError

from .alignment import Picture
from .embedders import Embedder, FaceModel, open_embedder
from .masks import MARGIN
from .unmasking import Unmasking, unmasking_for


class Ensemble(FaceModel):
    """``members``, the first of which looks at every face. Raises ``ValueError`` for an impossible ``threshold``.

    ``threshold``: the sum of the members' log-odds, with the share ``lead`` of its lead over that of the second best
    person, from which on a face is that of a person in a gallery. ``shares``: how much each member's log-odds count
    (1: fully). ``upper``: how the upper halves of faces are compared.
    """

    def __init__(
        self,
        members: Sequence[Embedder],
        threshold: float,
        lead: float = 0.0,
        shares: Sequence[float] = (),
        upper: UpperEntry | None = None,
    ) -> None:
        shares = list(shares or [1.0] * len(members))
        self._shares, self._upper = shares, upper
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
        """All members' together where that was measured; else that of the first member of which it was."""
        halves = [half for half in (m.upper for m in self._members) if half is not None]
        entry = self._upper
        if entry is None or len(halves) < len(self._members):
            return halves[0] if halves else None
        unmasking = unmasking_for([m.model_id for m in self._members]) if entry.unmasking else None
        if entry.unmasking and unmasking is None:
            return halves[0]
        return UpperHalves(halves, self._members, entry, self.lead, self._shares, unmasking)

    def embed_upper(
        self, bgr: Picture, landmarks: Sequence[Points], rows: Embeddings, flip: bool = False
    ) -> Embeddings:
        upper = self.upper
        assert upper is not None
        if not isinstance(upper, UpperHalves):
            return upper.embed(bgr, landmarks, flip)
        return upper.beside([half.embed(bgr, landmarks, flip) for half in upper.halves], self.parts(rows))

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


class UpperHalves(Ensemble):
    """Upper halves of faces by several embedders, and behind them the ``wholes``, where whole faces count, too."""

    def __init__(
        self,
        halves: Sequence[Embedder],
        wholes: Sequence[Embedder],
        entry: UpperEntry,
        lead: float,
        shares: Sequence[float],
        unmasking: Unmasking | None = None,
    ) -> None:
        self.halves = tuple(halves)
        self._unmasking = unmasking
        members, shares = list(halves), list(shares)
        if entry.whole:
            members += wholes
            shares += [entry.whole * share for share in shares]
        super().__init__(members, entry.threshold, lead, shares)
        self.masked_less = entry.masked * self.unit
        self.margin = MARGIN if entry.margin is None else entry.margin

    def beside(self, halves: Sequence[Embeddings], wholes: Sequence[Embeddings]) -> Embeddings:
        """Rows of faces from those of their upper halves, and of the whole."""
        return self.joined([*halves, *wholes][: len(self.members)])

    def unmasked(self, rows: Embeddings) -> Embeddings:
        if self._unmasking is None:
            return rows
        parts = self.parts(rows)
        halves, wholes = parts[: len(self.halves)], parts[len(self.halves) :]
        guessed = self._unmasking.whole(halves, wholes)
        members = self.members[len(halves) :]
        return self.joined([*halves, *(m.normalised(part) for m, part in zip(members, guessed, strict=True))])


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
        ensemble = Ensemble(members, together.threshold, together.lead, together.weights, together.upper)
        _ = ensemble.upper  # an impossible threshold is refused here
        return ensemble
    except ValueError as error:
        raise ModelError(f"{together.name}: {error}") from error
