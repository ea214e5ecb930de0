"""The speech in a stream of sound: which of its mel frames a person speaks in, and how loud it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .features import BANDS, HOP, RATE, WINDOW, Mel, Sound, mel_frames
from .networks import STEP, ActivityNetwork, SpeechDetector

SPEECH = 0.5
"""Probability from which on a step of 32 ms is speech (Silero's own default)."""
HANG_STEPS = 5
"""Steps after speech that still count: 0.16 s, the gaps inside words."""
CLIPPED = 0.999
"""Magnitude from which on a sample is at the end of the scale."""
QUIET_DBFS, LOUD_DBFS = -32.0, -20.0
"""Speech outside of this range is brought to its border. The embedder's input is power, not its logarithm: loudness far
from what it was trained with (LibriSpeech lies in this range) changes a voice. Inside, one level for all
costs more than it gives: three times the equal error."""
_LEVEL_FRAMES = 300
"""Speech that the level is measured over: 3 s."""


@dataclass(frozen=True)
class Speech:
    """What one piece of sound holds."""

    mel: Mel
    """The frames with speech, between :data:`QUIET_DBFS` and :data:`LOUD_DBFS`."""
    times: NDArray[np.float64]
    """The middle of each of those frames, seconds from the beginning of the stream."""
    share: float
    """Of the piece's frames, 0 to 1."""
    rms: float
    peak: float
    """Of the samples' magnitudes, 0 to 1."""
    clipped: float
    """Share of the samples at the end of the scale, 0 to 1."""
    end: float
    """Seconds from the beginning of the stream, of the piece's last sample."""


class SpeechFrames:
    """Finds the speech in one stream; keeps what a piece leaves over for the next."""

    def __init__(self, activity: ActivityNetwork) -> None:
        self._detector = SpeechDetector(activity)
        self._sound = np.empty(0, np.float32)  # from the next frame's first sample on
        self._samples = self._frames = self._steps = 0
        self._waiting = np.empty((0, BANDS), np.float32)  # frames whose activity is not known yet
        self._flags = np.empty(0, bool)  # of the steps from the oldest waiting frame's on
        self._first_flag = 0
        self._since_speech = HANG_STEPS
        self._power = np.empty(0, np.float32)

    def feed(self, sound: Sound) -> Speech:
        """``sound`` continues the stream; a piece of some tenths of a second or more."""
        self._samples += len(sound)
        magnitude = np.abs(sound)
        mel, numbers = self._next_frames(sound)
        self._next_flags(sound)
        steps = (numbers * HOP + WINDOW // 2) // STEP
        known = int(np.searchsorted(steps, self._first_flag + len(self._flags)))
        spoken = self._flags[steps[:known] - self._first_flag]
        self._waiting = mel[known:]
        if known:
            passed = int(steps[known - 1]) - self._first_flag
            self._flags, self._first_flag = self._flags[passed:], self._first_flag + passed
        return Speech(
            mel=self._levelled(mel[:known][spoken]),
            times=(numbers[:known][spoken] * HOP + WINDOW / 2) / RATE,
            share=float(spoken.mean()) if known else 0.0,
            rms=float(np.sqrt(np.mean(sound * sound))) if len(sound) else 0.0,
            peak=float(magnitude.max(initial=0.0)),
            clipped=float((magnitude >= CLIPPED).mean()) if len(sound) else 0.0,
            end=self._samples / RATE,
        )

    def _next_frames(self, sound: Sound) -> tuple[Mel, NDArray[np.int64]]:
        """The frames that wait and the new ones, and their numbers in the stream."""
        self._sound = np.concatenate([self._sound, sound])
        new = mel_frames(self._sound)
        self._sound = self._sound[len(new) * HOP :]
        mel = np.concatenate([self._waiting, new])
        first = self._frames - len(self._waiting)
        self._frames += len(new)
        return mel, np.arange(first, self._frames)

    def _next_flags(self, sound: Sound) -> None:
        """Appends whether each new step is speech, or so shortly after it that it counts."""
        flags = self._detector.probabilities(sound) >= SPEECH
        for at, speech in enumerate(flags):
            self._since_speech = 0 if speech else self._since_speech + 1
            flags[at] = self._since_speech <= HANG_STEPS
        self._flags = np.concatenate([self._flags, flags])

    def _levelled(self, mel: Mel) -> Mel:
        """The frames, times one factor that brings the newest seconds of speech into the range of levels."""
        self._power = np.concatenate([self._power, mel.sum(1)])[-_LEVEL_FRAMES:]
        if not len(mel):
            return mel
        power = max(float(self._power.mean()), 1e-12)
        return mel * np.float32(np.clip(power, _QUIET_POWER, _LOUD_POWER) / power)


def _power_of(dbfs: float) -> float:
    """The sum of a mel frame of white noise at a level."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(RATE).astype(np.float32) * np.float32(10 ** (dbfs / 20))
    return float(mel_frames(noise).sum(1).mean())


_QUIET_POWER, _LOUD_POWER = _power_of(QUIET_DBFS), _power_of(LOUD_DBFS)
