"""Sound as the voice embedder wants it: a mel spectrogram of 40 bands, 25 ms windows, every 10 ms.

The same numbers as ``librosa.feature.melspectrogram`` (Slaney's scale and norm, power 2, Hann window), which the
embedder was trained with, but a window starts at its frame instead of being centred on it, so that sound can come in
pieces of any size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second, everywhere in this package."""
WINDOW = 400
"""Samples in a window: 25 ms."""
HOP = 160
"""Samples from one frame to the next: 10 ms."""
BANDS = 40
FRAMES_A_SECOND = RATE // HOP

Sound = NDArray[np.float32]
"""Samples of one channel at :data:`RATE`, -1 to 1."""
Mel = NDArray[np.float32]
"""Frames x :data:`BANDS`, power."""


def pcm(sound: Sound) -> NDArray[np.int16]:
    """Samples as 16 bit numbers; louder than full scale is clipped."""
    return np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)


def from_pcm(samples: NDArray[np.int16]) -> Sound:
    """The inverse of :func:`pcm`."""
    return np.asarray(samples, np.float32) / np.float32(32767)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear below 1 kHz, logarithmic above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def mel_filters(bands: int, window: int) -> NDArray[np.float32]:
    """(window / 2 + 1) x bands: triangles of equal area, from 0 Hz to half the rate."""
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    edges = _hertz(np.linspace(0, top, bands + 2))
    bins = np.arange(window // 2 + 1) * RATE / window
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    area = 2 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * area, np.float32)


_FILTERS = mel_filters(BANDS, WINDOW)
_HANN = np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), np.float32)
_AT_ONCE = 32
"""Frames in one product of matrices: OpenBLAS begins threads, which wait for busy cores, at 2^18 multiplications."""


def mel_frames(sound: Sound) -> Mel:
    """The frames that lie wholly in ``sound``: ``(len - WINDOW) // HOP + 1`` of them, or none."""
    if len(sound) < WINDOW:
        return np.empty((0, BANDS), np.float32)
    spectrum = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP] * _HANN)
    power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
    parts = [power[at : at + _AT_ONCE] @ _FILTERS for at in range(0, len(power), _AT_ONCE)]
    return np.asarray(np.concatenate(parts), np.float32)
