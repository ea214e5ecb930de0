"""Voice embeddings of windows of speech, every half second: streaming, and of a whole recording.

A window has 150 frames of speech (1.5 s) and starts 50 frames after the one before. In a stream three of them are under
way at any time and advance together, one batch of three a half second: a third of the work of beginning each anew.
"""

from __future__ import annotations

import numpy as np

from .features import BANDS, Mel
from .networks import Floats, State, VoiceEmbedder

BLOCK = 50
"""Frames of speech from one window to the next: 0.5 s."""
LANES = 3
FRAMES = BLOCK * LANES
"""Frames of speech in a window: 1.5 s. The embedder was trained with 160."""
SHORTEST = 80
"""Frames of speech that are embedded as a shorter window where there is no more: 0.8 s."""
_BATCH = 16
_WORTH = 20
"""Frames after a window from which on embedding it again is worth it: 0.2 s."""


class VoiceWindows:
    """The windows of one stream of speech."""

    def __init__(self, embedder: VoiceEmbedder) -> None:
        self._embedder = embedder
        self.reset()

    def reset(self) -> None:
        """A person begins to speak: nothing of before goes into a window."""
        self._whole: State | None = None
        self._state = self._embedder.start(LANES)
        self._frames: Mel = np.empty((0, BANDS), np.float32)
        self._blocks = 0

    def feed(self, mel: Mel) -> list[Floats]:
        """For each half second that ``mel`` completes the embeddings of the last 0.5, 1.0 and 1.5 s of speech.

        K x 256; fewer than three rows at the beginning.
        """
        self._frames = np.concatenate([self._frames, mel])
        found = []
        while len(self._frames) >= BLOCK:
            block, self._frames = self._frames[:BLOCK], self._frames[BLOCK:]
            embeddings, self._state = self._embedder.step(np.repeat(block[:, None], LANES, 1), self._state)
            # lane k begins with block k, k + LANES, …
            lanes = [(self._blocks - age) % LANES for age in range(min(self._blocks + 1, LANES))]
            found.append(embeddings[lanes])
            self._blocks += 1
            oldest = self._blocks % LANES
            if self._blocks >= LANES:
                self._whole = self._state[0][:, [oldest]], self._state[1][:, [oldest]]
            for part in self._state:
                part[:, oldest] = 0
        return found

    def longest(self) -> Floats | None:
        """The newest whole window together with the speech after it, 1 x 256; None where there is not enough of either.

        So a voice is embedded between two windows too; it costs a third of a window's half second.
        """
        if self._whole is None or len(self._frames) < _WORTH:
            return None
        return self._embedder.step(self._frames[:, None], self._whole)[0]


def window_starts(count: int) -> list[int]:
    """The first frame of each window of ``count`` frames of speech; the last window ends with the last frame."""
    if count <= FRAMES:
        return [0] if count >= SHORTEST else []
    starts = list(range(0, count - FRAMES + 1, BLOCK))
    if starts[-1] + FRAMES < count:
        starts.append(count - FRAMES)
    return starts


def embed_windows(embedder: VoiceEmbedder, mel: Mel) -> Floats:
    """The embedding of each window of :func:`window_starts`, N x 256."""
    windows = [mel[start : start + FRAMES] for start in window_starts(len(mel))]
    parts = [embedder.embed(windows[at : at + _BATCH]) for at in range(0, len(windows), _BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, embedder.dimension), np.float32)
