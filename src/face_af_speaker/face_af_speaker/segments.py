"""Who speaks when in a recording: speech is cut where it pauses or where the voice changes, and each part is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .features import BANDS, RATE, WINDOW, Mel, Sound
from .identification import VoiceMatcher, centred
from .networks import ActivityNetwork, Floats, VoiceEmbedder
from .speech import SpeechFrames
from .voice_windows import FRAMES, LANES, SHORTEST, embed_windows, window_starts

PAUSE_S = 1.0
"""Silence after which another person may speak."""
CHANGE = 0.35
"""Two neighbouring windows less alike than this are two voices."""
MOST_FRAMES = 60_000
"""Frames of speech after which a turn is cut, so that memory stays bounded: ten minutes."""


@dataclass(frozen=True)
class Segment:
    """From ``start`` to ``end``, seconds, one voice. ``identity``: empty where it is nobody known."""

    start: float
    end: float
    identity: str
    similarity: float


@dataclass(frozen=True)
class Turn:
    """Speech without a pause: its mel frames and the middle of each, seconds."""

    mel: Mel
    times: NDArray[np.float64]


def turns(activity: ActivityNetwork, sound: Iterable[Sound]) -> Iterator[Turn]:
    """The speech of a recording, cut at pauses of :data:`PAUSE_S`."""
    frames = SpeechFrames(activity)
    mel: list[Mel] = []
    times: list[NDArray[np.float64]] = []
    for piece in _pieces(sound):
        speech = frames.feed(piece)
        gaps = np.flatnonzero(np.diff(speech.times, prepend=times[-1][-1:] if times else speech.times[:1]) > PAUSE_S)
        for start, end in zip([0, *gaps], [*gaps, len(speech.times)], strict=True):
            if times and (start in gaps or sum(map(len, mel)) > MOST_FRAMES):
                yield Turn(np.concatenate(mel), np.concatenate(times))
                mel, times = [], []
            if end > start:
                mel.append(speech.mel[start:end])
                times.append(speech.times[start:end])
    if times:
        yield Turn(np.concatenate(mel), np.concatenate(times))


def _pieces(sound: Iterable[Sound]) -> Iterator[Sound]:
    """Blocks of a second, and silence at the end, so that the last words come out."""
    kept: list[Sound] = []
    for block in sound:
        kept.append(block)
        if sum(map(len, kept)) >= RATE:
            yield np.concatenate(kept)
            kept = []
    yield np.concatenate([*kept, np.zeros(2 * WINDOW, np.float32)])


def segments(matcher: VoiceMatcher, embedder: VoiceEmbedder, turn: Turn) -> list[Segment]:
    """The parts of a turn with one voice each. Speech of less than 0.8 s has no name."""
    count = len(turn.mel)
    if count < SHORTEST:
        return [_segment(turn, 0, count, "", -1.0)]
    windows = embed_windows(embedder, turn.mel)
    found: list[Segment] = []
    for first, last in one_voice_each(windows):
        name, similarity = matcher.name(windows[first:last].mean(0), last - first)
        starts = window_starts(count)
        begin = 0 if first == 0 else (starts[first] + starts[first - 1] + FRAMES) // 2
        end = count if last == len(windows) else (starts[last] + starts[last - 1] + FRAMES) // 2
        segment = _segment(turn, begin, end, name, similarity)
        if found and found[-1].identity == segment.identity:
            before = found.pop()
            best = max(before.similarity, similarity)
            segment = Segment(before.start, segment.end, name, round(best, 4))
        found.append(segment)
    return found


def one_voice_each(windows: Floats) -> list[tuple[int, int]]:
    """Ranges of windows with one voice each, cut where what comes is unlike what was, at the least alike place."""
    rows = centred(windows)
    cuts, first, at = [0], 0, LANES
    while at < len(rows):
        if float(_mean(rows[max(first, at - 2 * LANES) : at - LANES + 1]) @ _mean(rows[at : at + LANES])) < CHANGE:
            cuts.append(at - LANES // 2)
            first = cuts[-1]
            at = first + LANES
        else:
            at += 1
    return list(zip(cuts, [*cuts[1:], len(rows)], strict=True))


def _mean(rows: Floats) -> Floats:
    mean = rows.mean(0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def _segment(turn: Turn, first: int, last: int, name: str, similarity: float) -> Segment:
    half = WINDOW / 2 / RATE
    start = max(0.0, turn.times[first] - half)
    return Segment(round(float(start), 2), round(float(turn.times[last - 1] + half), 2), name, round(similarity, 4))


def speech_of(activity: ActivityNetwork, sound: Iterable[Sound]) -> Mel:
    """All the frames with speech of a recording, whoever speaks."""
    found = [turn.mel for turn in turns(activity, sound)]
    return np.concatenate(found) if found else np.empty((0, BANDS), np.float32)
