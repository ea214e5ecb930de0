"""Who is heard now: names a stream of sound every half second, as the node and a replay do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .features import RATE, Sound
from .identification import VoiceMatcher, centred, threshold_for
from .networks import ActivityNetwork, Floats, VoiceEmbedder
from .speech import Speech, SpeechFrames
from .voice_windows import VoiceWindows

UPDATE_S = 0.5
"""Sound between two answers."""
PAUSE_S = 1.0
"""Silence after which nobody is heard any more, and whoever speaks next is somebody new."""
HEARD_SHARE = 0.1
"""Share of speech in an update from which on somebody is heard."""
_UPDATE = round(UPDATE_S * RATE)


@dataclass(frozen=True)
class NamingParams:
    """When a heard voice gets and loses its name. All are likenesses, -1 to 1."""

    hysteresis: float = 0.10
    """A name stays down to the threshold less this."""
    leave_half: float = 0.08
    """The last 0.5 s of speech less like the named person than this: somebody else speaks."""
    leave_second: float = 0.32
    """The same for the last 1.0 s. Of 10 people's seconds 1 in 200 is less like themselves."""
    back: float = 0.45
    """The last 1.0 s as like as this: it was the named person after all."""
    windows: int = 6
    """So many of the newest windows (of 1.5 s, one a half second) are averaged."""


@dataclass(frozen=True)
class Heard:
    """What one update heard. Seconds count from the stream's beginning."""

    start: float
    end: float
    speaking: bool
    identity: str
    """Empty: nobody known, or nobody."""
    similarity: float
    """Of the best person, -1 without any."""
    speech: Speech


class VoiceNamer:
    """Names one voice after another, from the windows of a stream of speech."""

    def __init__(self, matcher: VoiceMatcher, params: NamingParams | None = None) -> None:
        self._matcher = matcher
        self.params = params or NamingParams()
        self.forget()

    def forget(self) -> None:
        """Silence: whoever speaks next may be somebody else."""
        self.identity, self.similarity = "", -1.0
        self._suspended = ""
        self._evidence: list[Floats] = []
        self._blocks = 0

    def hear(self, parts: Floats) -> None:
        """The embeddings of the last 0.5, 1.0 and 1.5 s of speech (K x 256, K up to 3)."""
        self._blocks += 1
        if self._is_another(parts):
            self._suspended = self.identity or self._suspended
            self.similarity = self._likeness(self.identity, parts[min(1, len(parts) - 1)])
            # the newest half second is the new voice's first
            self.identity, self._evidence, self._blocks = "", [], 1
            return
        if self._suspended and len(parts) > 1:
            likeness = self._likeness(self._suspended, parts[1])
            if likeness >= self.params.back and self._matcher.match(parts[1]).identity == self._suspended:
                self.identity, self.similarity, self._suspended = self._suspended, likeness, ""
        # a window counts that began after the last change
        if len(parts) == 3 and self._blocks >= 3:
            self._evidence = [*self._evidence[1 - self.params.windows :], parts[2]]
            self._decide()

    def _is_another(self, parts: Floats) -> bool:
        """Whether somebody else speaks than the person who is named, or than the unknown voice of before."""
        if not self.identity:
            if not self._evidence or len(parts) < 2:
                return False
            before = centred(np.asarray(np.mean(self._evidence, axis=0), np.float32))
            return float(before @ centred(parts[1])) < self.params.leave_second
        limits = (self.params.leave_half, self.params.leave_second)
        return any(self._likeness(self.identity, part) < limit for part, limit in zip(parts[:2], limits, strict=False))

    def _likeness(self, name: str, embedding: Floats) -> float:
        scores = self._matcher.scores(embedding)
        return float(scores[self._matcher.names.index(name)]) if name in self._matcher.names else -1.0

    def _decide(self) -> None:
        mean = np.asarray(np.mean(self._evidence, axis=0), np.float32)
        match = self._matcher.match(mean)
        self.similarity = match.similarity
        threshold = threshold_for(self._matcher.threshold, len(self._evidence))
        if match.identity == self.identity:
            threshold -= self.params.hysteresis
        clear = match.similarity - match.second >= self._matcher.margin
        self.identity = match.identity if match.similarity >= threshold and clear else ""
        if self.identity:
            self._suspended = ""


class Listener:
    """From sound to :class:`Heard`, one every :data:`UPDATE_S` of sound."""

    def __init__(
        self,
        activity: ActivityNetwork,
        embedder: VoiceEmbedder,
        matcher: VoiceMatcher,
        params: NamingParams | None = None,
    ) -> None:
        self._frames = SpeechFrames(activity)
        self._windows = VoiceWindows(embedder)
        self.namer = VoiceNamer(matcher, params)
        self._sound = np.empty(0, np.float32)
        self._last_speech = -PAUSE_S

    @property
    def waiting(self) -> int:
        """Samples that wait for an update to be complete."""
        return len(self._sound)

    def feed(self, sound: Sound) -> list[Heard]:
        """``sound`` (16 kHz, any length) continues the stream; the updates that it completes."""
        self._sound = np.concatenate([self._sound, sound])
        found = []
        while len(self._sound) >= _UPDATE:
            piece, self._sound = self._sound[:_UPDATE], self._sound[_UPDATE:]
            found.append(self._update(piece))
        return found

    def _update(self, piece: Sound) -> Heard:
        speech = self._frames.feed(piece)
        if len(speech.times):
            if speech.times[0] - self._last_speech > PAUSE_S:
                self._silent()
            self._last_speech = float(speech.times[-1])
            for parts in self._windows.feed(speech.mel):
                self.namer.hear(parts)
        elif speech.end - self._last_speech > PAUSE_S:
            self._silent()
        speaking = speech.share >= HEARD_SHARE
        identity = self.namer.identity
        return Heard(speech.end - UPDATE_S, speech.end, speaking, identity, self.namer.similarity, speech)

    def _silent(self) -> None:
        self._windows.reset()
        self.namer.forget()
