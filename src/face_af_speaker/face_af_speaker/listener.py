"""Who is heard now: names a stream of sound every half second, as the node and a replay do.

:class:`Ear` has the networks, :class:`VoiceNamer` decides; a replay with other thresholds needs only the second again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .features import RATE, Sound
from .identification import VoiceMatcher, centred, threshold_for
from .networks import ActivityNetwork, Floats, VoiceEmbedder
from .speech import Speech, SpeechFrames
from .voice_windows import VoiceWindows

UPDATE_S, QUICK_S = 0.5, 0.25
"""Sound between two answers: usually, and in the first seconds of a voice that has no name yet."""
PAUSE_S = 1.0
"""Silence after which nobody is heard any more, and whoever speaks next is a person new."""
HEARD_SHARE = 0.1
"""Share of speech in the last :data:`UPDATE_S` from which on a person is heard."""
_NEW_BLOCKS = 8
"""Half seconds of a voice in which it is looked at more often."""
_HOPELESS = 0.2
"""Less alike than this to anybody: more of the voice will not do."""
_UPDATE, _QUICK = round(UPDATE_S * RATE), round(QUICK_S * RATE)


@dataclass(frozen=True)
class NamingParams:
    """When a heard voice gets and loses its name. All are likenesses, -1 to 1."""

    hysteresis: float = 0.10
    """A name stays down to the threshold less this."""
    leave_half: float = 0.08
    """The last 0.5 s of speech less like the named person than this: another person'speaks."""
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

    @property
    def voices(self) -> list[tuple[str, float]]:
        """Name (empty: nobody known) and similarity of each who speaks."""
        return [(self.identity, self.similarity)] if self.speaking else []


@dataclass(frozen=True)
class Listened:
    """What the networks say of one update."""

    speech: Speech
    seconds: float
    """Of sound, in this update."""
    pause: bool
    """There was a pause before this speech, or it lasts: whoever speaks next may be another person."""
    parts: tuple[Floats, ...]
    """For each half second of speech that the update completes: see :meth:`VoiceNamer.hear`."""
    longest: Floats | None
    """The newest window with what came after it, 1 x 256; None where that is not to be had, or not wanted."""


class VoiceNamer:
    """Names one voice after another, from the windows of a stream of speech."""

    def __init__(self, matcher: VoiceMatcher, params: NamingParams | None = None) -> None:
        self._matcher = matcher
        self.params = params or NamingParams()
        self._before = 0.0
        self.forget()

    @property
    def is_new(self) -> bool:
        """Whether this voice has no name yet, but may get one soon; whoever is unknown for longer stays so."""
        return not self.identity and self._blocks < _NEW_BLOCKS

    @property
    def is_in_doubt(self) -> bool:
        """Whether a new voice has been embedded, and a little more of it may give it a name."""
        return self.is_new and bool(self._evidence) and self.similarity > _HOPELESS

    def name(self, listened: Listened) -> Heard:
        """Who is heard now."""
        speech = listened.speech
        if listened.pause:
            self.forget()
        for parts in listened.parts:
            self.hear(parts)
        if listened.longest is not None:
            self.hear_more(listened.longest[0])
        share = speech.share if listened.seconds >= UPDATE_S else (self._before + speech.share) / 2
        self._before = speech.share
        start = speech.end - listened.seconds
        return Heard(start, speech.end, share >= HEARD_SHARE, self.identity, self.similarity, speech)

    def forget(self) -> None:
        """Silence: whoever speaks next may be another person."""
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
            self._decide(self._evidence)

    def hear_more(self, longest: Floats) -> None:
        """The newest window together with the speech after it: names who has no name yet, and takes none away."""
        if not self.identity and self._evidence:
            self._decide([*self._evidence[:-1], longest])

    def _is_another(self, parts: Floats) -> bool:
        """Whether another person'speaks than the person who is named, or than the unknown voice of before."""
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

    def _decide(self, evidence: list[Floats]) -> None:
        match = self._matcher.match(np.asarray(np.mean(evidence, axis=0), np.float32))
        self.similarity = match.similarity
        threshold = threshold_for(self._matcher.threshold, len(evidence))
        if match.identity == self.identity:
            threshold -= self.params.hysteresis
        clear = match.similarity - match.second >= self._matcher.margin
        self.identity = match.identity if match.similarity >= threshold and clear else ""
        if self.identity:
            self._suspended = ""


class Ear:
    """From sound to :class:`Listened`, one every :data:`UPDATE_S` or :data:`QUICK_S` of sound."""

    def __init__(self, activity: ActivityNetwork, embedder: VoiceEmbedder) -> None:
        self._frames = SpeechFrames(activity)
        self._windows = VoiceWindows(embedder)
        self._sound = np.empty(0, np.float32)
        self._last_speech = -PAUSE_S
        self._end = 0.0
        self.quick: Callable[[], bool] = lambda: True
        """Whether speech is looked at more often."""
        self.between: Callable[[], bool] = lambda: True
        """Whether the speech after a window is embedded too."""

    def feed(self, sound: Sound, end_ns: int = 0) -> list[tuple[int, Listened]]:
        """``sound`` (16 kHz, any length) continues the stream; the updates that it completes, and when each ended.

        ``end_ns``: the time of its last sample, nanoseconds.
        """
        self._sound = np.concatenate([self._sound, sound])
        found = []
        while len(self._sound) >= (size := _QUICK if self._is_quick() else _UPDATE):
            piece, self._sound = self._sound[:size], self._sound[size:]
            found.append((end_ns - len(self._sound) * 1_000_000_000 // RATE, self._listen(piece)))
        return found

    def _is_quick(self) -> bool:
        return self._end - self._last_speech < UPDATE_S and self.quick()

    def _listen(self, piece: Sound) -> Listened:
        speech, seconds = self._frames.feed(piece), len(piece) / RATE
        self._end = speech.end
        heard = len(speech.times) > 0
        pause = (float(speech.times[0]) if heard else speech.end) - self._last_speech > PAUSE_S
        if pause:
            self._windows.reset()
        if not heard:
            return Listened(speech, seconds, pause, (), None)
        self._last_speech = float(speech.times[-1])
        parts = tuple(self._windows.feed(speech.mel))
        longest = None if parts or not self.between() else self._windows.longest()
        return Listened(speech, seconds, pause, parts, longest)


class Listener:
    """An ear and a namer: from sound to :class:`Heard`."""

    def __init__(
        self,
        activity: ActivityNetwork,
        embedder: VoiceEmbedder,
        matcher: VoiceMatcher,
        params: NamingParams | None = None,
    ) -> None:
        self._ear = Ear(activity, embedder)
        self.namer = VoiceNamer(matcher, params)
        self._ear.quick = lambda: self.namer.is_new
        self._ear.between = lambda: self.namer.is_in_doubt
        self.on_listened: Callable[[Listened], None] = lambda listened: None
        """Called with each update before it is named."""

    def feed(self, sound: Sound) -> list[Heard]:
        """The updates that ``sound`` completes; see :meth:`Ear.feed`."""
        return [heard for _, heard in self.feed_at(sound, 0)]

    def feed_at(self, sound: Sound, end_ns: int) -> list[tuple[int, Heard]]:
        """The same, each with the time of its end, nanoseconds."""
        found = []
        for at_ns, listened in self._ear.feed(sound, end_ns):
            self.on_listened(listened)
            found.append((at_ns, self.namer.name(listened)))
        return found
