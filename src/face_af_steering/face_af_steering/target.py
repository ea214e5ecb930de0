"""Which of the faces is the target: by name, by likeness, and by what was believed before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from face_af_common.types import Face

from .clock import NEVER
from .params import PlannerParams

_MEAN_RATE = 0.25
"""Share of the newest frame in a face's likeness: about four frames, which evens out one bad crop."""
_USUAL_RATE = 0.02
"""... in the target's usual likeness: some 50 frames, so that turning away for a moment does not count."""
_FORGET_RATE = 0.0005
"""... in the best of the show, which falls within minutes, as light and make-up change."""
_RETURNED = 0.2
"""Share of ``rival_confirm_s`` for a person as alike as the target was before."""
_KEPT = 64
"""Claims at most: more faces than any frame shows, and a bound on memory."""


class _Claim:
    __slots__ = ("frames", "last", "similarity", "since")

    def __init__(self, now: float, similarity: float) -> None:
        self.frames = 0
        self.similarity = similarity
        self.since = now
        self.last = now


class TargetChooser:
    """Keeps one target among the faces that are named so.

    A face must be named in ``confirm_frames`` frames (a frame without the name takes one back). The
    present target keeps its claim while it is in sight, unless another face is more alike by a margin
    for a while; and for ``target_memory_s`` against a face that is much less alike than it was.
    """

    def __init__(self) -> None:
        self._claims: dict[int, _Claim] = {}
        self._incumbent: int | None = None
        self._incumbent_named = NEVER
        self._usual = 0.0
        """Likeness of the incumbent."""
        self._best = -1.0
        """Likeness of the one who has been most alike for long."""

    def forget(self) -> None:
        """Nobody was the target before."""
        self._claims = {}
        self._incumbent, self._incumbent_named = None, NEVER
        self._usual, self._best = 0.0, -1.0

    def update(
        self, now: float, faces: Sequence[Face], renamed: Mapping[int, int], params: PlannerParams
    ) -> tuple[int | None, bool]:
        """The target's track id, None where no face of this frame is named so, and whether it is confirmed."""
        claims = self._claims
        for old, new in renamed.items():
            if old in claims and new not in claims:
                claims[new] = claims.pop(old)
            if old == self._incumbent:
                self._incumbent = new
        named: list[Face] = []
        incumbent_seen = False
        for face in faces:
            claim = claims.get(face.track_id)
            if face.track_id == self._incumbent:
                incumbent_seen = True
            if face.is_target:
                named.append(face)
                if claim is None:
                    claim = claims[face.track_id] = _Claim(now, face.similarity)
                elif claim.frames == 0 or now - claim.last > params.remember_s:
                    claim.frames, claim.since = 0, now
                claim.frames = min(claim.frames + 1, 30)
                claim.similarity += _MEAN_RATE * (face.similarity - claim.similarity)
                claim.last = now
            elif claim is not None and claim.frames > 0:
                claim.frames -= 1
        if len(claims) > len(faces):
            self._prune(now, params)
        if not named:
            return None, False
        choice = self._choose(now, named, incumbent_seen, params)
        claim = claims[choice.track_id]
        confirmed = claim.frames >= self._needed(now, choice, claim, incumbent_seen, params)
        if confirmed:
            if self._incumbent != choice.track_id:
                self._usual = claim.similarity
            self._incumbent = choice.track_id
            self._incumbent_named = now
            self._usual += _USUAL_RATE * (claim.similarity - self._usual)
            self._best += (1.0 if self._usual > self._best else _FORGET_RATE) * (self._usual - self._best)
        return choice.track_id, confirmed

    def _choose(self, now: float, named: list[Face], incumbent_seen: bool, params: PlannerParams) -> Face:
        if len(named) == 1:
            return named[0]
        claims = self._claims
        best = max(named, key=lambda f: (claims[f.track_id].similarity, claims[f.track_id].frames, -f.track_id))
        if best.track_id == self._incumbent:
            return best
        for face in named:
            if face.track_id == self._incumbent:
                own, rival = claims[face.track_id], claims[best.track_id]
                ahead = rival.similarity > own.similarity + params.similarity_margin
                return best if ahead and now - rival.since >= self._patience_s(rival, params) else face
        return best

    def _patience_s(self, rival: _Claim, params: PlannerParams) -> float:
        """How long a rival must look like the target: less where it is as alike as the target ever was."""
        share = _RETURNED if rival.similarity > self._best - 0.5 * params.similarity_margin else 1.0
        return share * params.rival_confirm_s

    def _needed(self, now: float, face: Face, claim: _Claim, incumbent_seen: bool, params: PlannerParams) -> float:
        """Frames that this face must have been named in."""
        if face.track_id == self._incumbent or self._incumbent is None:
            return params.confirm_frames
        unnamed = now - self._incumbent_named
        if unnamed > params.target_memory_s:
            return params.confirm_frames
        patience = params.rival_confirm_s
        if claim.similarity > self._usual + params.similarity_margin:
            patience = self._patience_s(claim, params)
        lasting = now - claim.since >= patience
        if unnamed < 0.5 * patience:
            return math.inf
        if incumbent_seen:
            own = self._claims.get(self._incumbent) if self._incumbent is not None else None
            let_go = own is None or own.frames == 0
            if unnamed < patience or not (lasting or let_go):
                return math.inf
        weaker = claim.similarity < self._usual - params.similarity_margin
        return math.inf if weaker and not lasting else params.confirm_frames

    def _prune(self, now: float, params: PlannerParams) -> None:
        keep = params.target_memory_s
        for track in [t for t, c in self._claims.items() if now - c.last > keep]:
            del self._claims[track]
        while len(self._claims) > _KEPT:
            del self._claims[next(iter(self._claims))]
