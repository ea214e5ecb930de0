"""The classic way of knowing a voice, as something to compare with: averaged features of sound and a dense network.

193 features (means over time of 40 MFCC, 12 chroma, 128 mel bands, 7 of spectral contrast, 6 of tonnetz, by librosa),
scaled, then scikit-learn's dense network with softmax; a name from 0.95 on. librosa is needed for this alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .evaluation import Trial
from .features import RATE, Sound

FEATURES = 193
THRESHOLD = 0.95
"""Of the softmax's largest value: below it nobody is named."""
_LAYERS = (256, 128)
_STEP_S = 0.5
"""From one piece of enrolled sound to the next: a dense network needs many examples."""

Sounds = Mapping[str, Sequence[Sound]]
Rows = NDArray[np.float64]


class ClassicError(ValueError):
    """One line: what is missing."""


def features(sound: Sound) -> Rows:
    """The 193 numbers of a piece of sound of a second or more. Raises :class:`ClassicError` without librosa."""
    try:
        import librosa.feature as of
        from librosa import stft
    except ImportError as error:
        raise ClassicError(f"the classic features need librosa ({error}): pip install librosa") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about pieces without any pitch
        magnitude = np.abs(stft(sound))
        chroma = of.chroma_stft(S=magnitude**2, sr=RATE)
        parts = [
            of.mfcc(y=sound, sr=RATE, n_mfcc=40),
            chroma,
            of.melspectrogram(y=sound, sr=RATE, n_mels=128),
            # 200 Hz and six octaves would pass half the rate
            of.spectral_contrast(S=magnitude, sr=RATE, fmin=100.0),
            of.tonnetz(chroma=chroma, sr=RATE),
        ]
    return np.concatenate([np.asarray(part, float).mean(1) for part in parts])


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

        network = MLPClassifier(_LAYERS, alpha=1e-2, max_iter=300, random_state=seed)
        self._model = make_pipeline(StandardScaler(), network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about not having converged
            self._model.fit(rows, labels)

    def __call__(self, rows: Rows) -> Rows:
        return np.asarray(self._model.predict_proba(rows)) if len(rows) else np.empty((0, 1))


def _trained(train: Mapping[str, Rows], seed: int) -> tuple[list[str], _Network]:
    names = [name for name, rows in train.items() if len(rows)]
    labels = [number for number, name in enumerate(names) for _ in train[name]]
    return names, _Network(np.concatenate([train[name] for name in names]), labels, seed)
