"""Who is named: threshold, margin, sessions, and a gallery that changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_gallery.voices import VoiceGallery
from face_af_speaker.identification import VoiceMatcher, average_voice, centred
from face_af_speaker.networks import DIMENSION
from face_af_speaker.voice_windows import FRAMES, SHORTEST, window_starts


def voice(seed: int, noise: float = 0.0, of: int | None = None) -> np.ndarray:
    """A made-up voice: the average one with strong features of its own, as GE2E's embeddings are."""
    own = np.maximum(np.random.default_rng(seed if of is None else of).standard_normal(DIMENSION), 0)
    extra = noise * np.maximum(np.random.default_rng(seed + 999).standard_normal(DIMENSION), 0)
    row = average_voice() + 0.1 * own + 0.1 * extra
    return (row / np.linalg.norm(row)).astype(np.float32)


def matcher(**people: list[np.ndarray]) -> VoiceMatcher:
    gallery = VoiceGallery(None, "m")
    for name, rows in people.items():
        for row in rows:
            gallery.add(name, row, 10)
    return VoiceMatcher(gallery, 0.5)


def test_the_right_one_is_named_and_strangers_are_not() -> None:
    known = matcher(anna=[voice(1)], bert=[voice(2)])
    assert known.name(voice(50, 0.4, of=1), 1)[0] == "anna"
    assert known.name(voice(51, 0.4, of=2), 1)[0] == "bert"
    name, similarity = known.name(voice(3), 1)
    assert name == "" and similarity < 0.5


def test_two_voices_at_once_give_no_name() -> None:
    known = matcher(anna=[voice(1)], bert=[voice(2)])
    both = voice(1) + voice(2)
    assert known.match(both).similarity > 0.5
    assert known.name(both, 1)[0] == ""


def test_long_speech_needs_more_likeness() -> None:
    known = matcher(anna=[voice(1)])
    probe = voice(12, 1.0, of=1)
    known.threshold = known.match(probe).similarity - 0.01
    assert known.name(probe, 1)[0] == "anna" and known.name(probe, 3)[0] == ""


def test_sessions_are_averaged() -> None:
    one, two = voice(10, 1.0, of=1), voice(11, 1.0, of=1)
    probe = voice(12, 1.0, of=1)
    both = matcher(anna=[one, two]).match(probe).similarity
    assert both > max(matcher(anna=[one]).match(probe).similarity, matcher(anna=[two]).match(probe).similarity)


def test_nobody_known_and_silence_have_no_name() -> None:
    assert matcher().name(voice(1), 1) == ("", -1.0)
    assert matcher(anna=[voice(1)]).name(np.zeros(DIMENSION, np.float32), 1) == ("", -1.0)


def test_a_change_of_the_gallery_counts_at_once() -> None:
    gallery = VoiceGallery(None, "m")
    known = VoiceMatcher(gallery, 0.5)
    assert known.name(voice(1), 1)[0] == ""
    gallery.add("anna", voice(1), 10)
    assert known.name(voice(1), 1) == ("anna", pytest.approx(1.0, abs=1e-5))
    gallery.remove("anna")
    assert known.name(voice(1), 1)[0] == ""


def test_centred_rows_have_length_one_and_silence_stays_zero() -> None:
    rows = centred(np.stack([voice(1), voice(2), np.zeros(DIMENSION, np.float32)]))
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 1, 0], atol=1e-5)
    assert abs(float(rows[0] @ rows[1])) < 0.3


@given(st.integers(0, 2000))
def test_windows_cover_all_speech(count: int) -> None:
    starts = window_starts(count)
    if count < SHORTEST:
        assert starts == []
    else:
        assert starts[0] == 0 and starts == sorted(set(starts))
        assert max(starts[-1] + FRAMES, count) == max(count, FRAMES)
        assert all(0 < b - a <= 50 for a, b in itertools.pairwise(starts))
