"""The classic way of knowing a voice, as something to compare with: averaged features of sound and a dense network.

193 features (means over time of 40 MFCC, 12 chroma, 128 mel bands, 7 of spectral contrast, 6 of tonnetz), scaled, then
scikit-learn's dense network with softmax; a name from 0.95 on. The features follow librosa's definitions in NumPy:
importing librosa compiles for twenty seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .evaluation import Trial
from .features import RATE, Sound, mel_filters

FEATURES = 193
THRESHOLD = 0.95
"""Of the softmax's largest value: below it nobody is named."""
_LAYERS = (256, 128)
_STEP_S = 0.5
"""From one piece of enrolled sound to the next: a dense network needs many examples."""

Sounds = Mapping[str, Sequence[Sound]]
Rows = NDArray[np.float64]


_FFT, _HOP = 1024, 256
_QUANTILE = 0.02
"""Share of a band's bins that make its peak, and its valley."""


def _pitch_classes() -> Rows:
    """12 x bins: which of the twelve tones (C first) each frequency from 60 Hz on is nearest to."""
    hertz = np.arange(1, _FFT // 2 + 1) * RATE / _FFT
    tone = np.round(12 * np.log2(hertz / 440) + 9).astype(int) % 12
    return np.column_stack([np.zeros(12), (tone == np.arange(12)[:, None]) & (hertz > 60)])


def _tonal_circles() -> Rows:
    """6 x 12: fifths, minor and major thirds as circles ("Detecting harmonic change", Harte et al., 2006)."""
    angle = np.arange(12) * np.pi * np.array([7 / 6, 3 / 2, 2 / 3])[:, None]
    rows = np.array([[1.0], [1.0], [0.5]])[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
    return np.asarray(rows.reshape(6, 12))


_MEL, _PITCH, _CIRCLES = mel_filters(128, _FFT), _pitch_classes(), _tonal_circles()
_EDGES = np.array([0, 100, 200, 400, 800, 1600, 3200, RATE / 2])


def features(sound: Sound) -> Rows:
    """The 193 numbers of a piece of sound of half a second or more."""
    from scipy.fft import dct

    windows = np.lib.stride_tricks.sliding_window_view(sound, _FFT)[::_HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(_FFT))) ** 2
    mel = power @ _MEL
    decibels = 10 * np.log10(np.maximum(mel, 1e-10))
    chroma = power @ _PITCH.T
    chroma /= np.maximum(chroma.max(1, keepdims=True), 1e-10)
    circles = chroma / np.maximum(chroma.sum(1, keepdims=True), 1e-10) @ _CIRCLES.T
    parts = [dct(decibels, norm="ortho")[:, :40], chroma, mel, _contrast(power), circles]
    return np.concatenate([part.mean(0) for part in parts])


def _contrast(power: Rows) -> Rows:
    """Frames x 7: by how many dB the peaks of each octave stand over its valleys."""
    limits = np.searchsorted(np.arange(_FFT // 2 + 1) * RATE / _FFT, _EDGES)
    columns = []
    for low, high in pairwise(limits):
        band = np.sort(power[:, low:high], axis=1)
        count = max(1, round(_QUANTILE * (high - low)))
        peak, valley = band[:, -count:].mean(1), band[:, :count].mean(1)
        columns.append(10 * np.log10(np.maximum(peak, 1e-10) / np.maximum(valley, 1e-10)))
    return np.stack(columns, 1)


def open_set(
    people: Sounds, strangers: Sounds, *, enrolled_s: float, heard_s: float, repeats: int = 3, seed: int = 1
) -> Trial:
    """The same question as :func:`.evaluation.open_set`: train on ``enrolled_s`` of each, name ``heard_s`` of the rest.

    Strangers are those of ``strangers``, and each person while left out of the training.
    """
    rng = np.random.default_rng(seed)
    known, right, unknown = [], [], []
    foreign = _rows(piece for sounds in strangers.values() for sound in sounds for piece in _pieces(sound, heard_s))
    for _ in range(repeats):
        train, rest = {}, {}
        for name, sounds in people.items():
            order = rng.permutation(len(sounds))
            used, learned = _enrolled([sounds[i] for i in order], enrolled_s)
            train[name] = _rows(_pieces(learned, heard_s, _STEP_S))
            rest[name] = _rows(piece for i in order[used:] for piece in _pieces(sounds[i], heard_s))
        names, network = _trained(train, seed)
        for name, rows in rest.items():
            chances = network(rows)
            known += list(chances.max(1))
            right += [names[best] == name for best in chances.argmax(1)]
        unknown += list(network(foreign).max(1))
        for name in people if not strangers else ():
            _, without = _trained({other: rows for other, rows in train.items() if other != name}, seed)
            unknown += list(without(rest[name]).max(1))
    return Trial(np.array(known), np.array(right, bool), np.array(unknown))


def _enrolled(sounds: Sequence[Sound], seconds: float) -> tuple[int, Sound]:
    """How many recordings give so much sound, the last one kept for hearing, and that sound."""
    used, taken = 0, np.empty(0, np.float32)
    for sound in sounds[: max(1, len(sounds) - 1)]:
        taken, used = np.concatenate([taken, sound]), used + 1
        if len(taken) >= seconds * RATE:
            break
    return used, taken[: round(seconds * RATE)]


def _pieces(sound: Sound, seconds: float, step_s: float = 0.0) -> Iterator[Sound]:
    size = round(seconds * RATE)
    for at in range(0, len(sound) - size + 1, round(step_s * RATE) or size):
        yield sound[at : at + size]


def _rows(pieces: Iterator[Sound]) -> Rows:
    rows = [features(piece) for piece in pieces]
    return np.array(rows) if rows else np.empty((0, FEATURES))


class _Network:
    """Scaling and a dense network: the chance of each person."""

    def __init__(self, rows: Rows, labels: Sequence[int], seed: int) -> None:
        from sklearn.neural_network import MLPClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from threadpoolctl import threadpool_limits

        network = MLPClassifier(_LAYERS, alpha=1e-2, max_iter=200, random_state=seed)
        self._model = make_pipeline(StandardScaler(), network)
        # threads of small matrices wait for busy cores
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore")  # about not having converged
            self._model.fit(rows, labels)

    def __call__(self, rows: Rows) -> Rows:
        return np.asarray(self._model.predict_proba(rows)) if len(rows) else np.empty((0, 1))


def _trained(train: Mapping[str, Rows], seed: int) -> tuple[list[str], _Network]:
    names = [name for name, rows in train.items() if len(rows)]
    labels = [number for number, name in enumerate(names) for _ in train[name]]
    return names, _Network(np.concatenate([train[name] for name in names]), labels, seed)
