"""Sound from files, and the features made of it."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from face_af_speaker.classic import features
from face_af_speaker.features import BANDS, HOP, RATE, WINDOW, mel_frames
from face_af_speaker.sound_files import Piece, SoundError, blocks, piece, read


def tone(hertz: float, seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_wav(path: Path, channels: list[np.ndarray], rate: int = RATE) -> Path:
    data = (np.stack(channels, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data.tobytes())
    return path


def test_mel_frames_are_the_filtered_power_of_windows() -> None:
    sound = np.random.default_rng(1).standard_normal(4000).astype(np.float32)
    mel = mel_frames(sound)
    assert mel.shape == ((4000 - WINDOW) // HOP + 1, BANDS)
    window = sound[3 * HOP : 3 * HOP + WINDOW] * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW))
    power = np.abs(np.fft.rfft(window)) ** 2
    # below 1 kHz the filters are triangles of 200 / 3 Hz a mel, of equal area
    top = 15 + 27 * np.log(8) / np.log(6.4)
    edges = np.linspace(0, top, BANDS + 2)[4:7] * 200 / 3
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    triangle = np.interp(bins, edges, [0, 1, 0]) * 2 / (edges[2] - edges[0])
    assert mel[3, 4] == pytest.approx(power @ triangle, rel=1e-4)


def test_pieces_of_any_size_give_the_same_frames() -> None:
    sound = tone(440, 0.3)
    assert len(mel_frames(sound[:WINDOW])) == 1 and len(mel_frames(sound[: WINDOW - 1])) == 0
    assert np.allclose(mel_frames(sound)[5], mel_frames(sound[5 * HOP :])[0], rtol=1e-4)


def test_stereo_at_another_rate_is_mixed_or_one_channel_is_taken(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", [tone(300, 1, 44100), np.zeros(44100, np.float32)], 44100)
    mixed, left, right = read(Piece(path)), read(Piece(path), 1), read(Piece(path), 2)
    assert abs(len(left) - RATE) < 50
    assert np.abs(left).max() == pytest.approx(0.5, abs=0.02)
    assert np.abs(mixed).max() < 0.4 and np.abs(right).max() < 0.01
    with pytest.raises(SoundError, match="no channel 3"):
        read(Piece(path), 3)


def test_a_part_is_exact(tmp_path: Path) -> None:
    sound = np.concatenate([np.zeros(RATE, np.float32), tone(300, 1), np.zeros(RATE, np.float32)])
    path = write_wav(tmp_path / "x.wav", [sound])
    part = read(piece(f"{path}@0:01-2"))
    assert len(part) == RATE and np.abs(part[:100]).max() > 0.2
    assert len(read(piece(f"{path}@2.5-"))) == RATE // 2
    assert len(read(Piece(path), most_s=0.5)) == RATE // 2


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("a.wav", 0, None), ("show.mp4@1:20-1:45", 80, 105), ("a@b.wav@1:02:03.5-", 3723.5, None), ("a@b.wav", 0, None)],
)
def test_how_parts_are_written(text: str, start: float, end: float | None) -> None:
    found = piece(text)
    assert (found.start, found.end) == (start, end)
    assert str(found.path) in text


def test_what_is_no_sound_is_one_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no sound\n" * 100)
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    good = write_wav(tmp_path / "x.wav", [tone(300, 1)])
    for source in (text, empty, tmp_path, tmp_path / "none.wav"):
        with pytest.raises(SoundError) as caught:
            read(Piece(source))
        assert str(source) in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(SoundError, match="ends before"):
        piece(f"{good}@5-3")
    with pytest.raises(SoundError, match="no sound in that part"):
        read(piece(f"{good}@50-60"))


def test_a_damaged_file_ends_where_the_damage_is(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", [tone(300, 1)])
    path.write_bytes(path.read_bytes()[:-8000])
    assert len(np.concatenate(list(blocks(Piece(path))))) == RATE - 4000


def test_the_classic_features_tell_a_tone_from_noise() -> None:
    a, c = features(tone(440, 1)), features(tone(523.25, 1))
    assert a.shape == (193,) and (a[40:52].argmax(), c[40:52].argmax()) == (9, 0)  # A, and the C above it
    noise = features(0.1 * np.random.default_rng(1).standard_normal(RATE).astype(np.float32))
    assert a[180:187].max() > noise[180:187].max() + 20, "a tone stands far over its octave's valley"
    assert np.isfinite(features(np.zeros(RATE, np.float32))).all()
