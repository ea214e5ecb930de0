"""Names over time, with made-up voices: when one comes, when it goes, and that a doubt is forgiven."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.voices import VoiceGallery
from face_af_speaker import sound_source
from face_af_speaker.features import RATE, Sound
from face_af_speaker.identification import VoiceMatcher, average_voice
from face_af_speaker.listener import Listened, VoiceNamer
from face_af_speaker.networks import DIMENSION
from face_af_speaker.newest_voice import NewestVoice
from face_af_speaker.sound_files import SoundError
from face_af_speaker.sound_source import SoundSource, devices
from face_af_speaker.speech import Speech


def voice(seed: int) -> np.ndarray:
    row = average_voice() + 0.1 * np.random.default_rng(seed).standard_normal(DIMENSION)
    return (row / np.linalg.norm(row)).astype(np.float32)


ANNA, BERT, STRANGER = voice(3), voice(11), voice(38)  # less alike than 0.05


@pytest.fixture
def gallery() -> VoiceGallery:
    gallery = VoiceGallery(None, "m")
    gallery.add("anna", ANNA, 10)
    gallery.add("bert", BERT, 10)
    return gallery


@pytest.fixture
def namer(gallery: VoiceGallery) -> VoiceNamer:
    return VoiceNamer(VoiceMatcher(gallery, 0.5))


def speak(namer: VoiceNamer, *last: np.ndarray) -> str:
    """One block: the embeddings of the last 0.5, 1.0, 1.5 s of speech."""
    namer.hear(np.stack(last))
    return namer.identity


def said(namer: VoiceNamer, row: np.ndarray, blocks: int) -> list[str]:
    return [speak(namer, *[row] * 3) for _ in range(blocks)]


def test_a_name_comes_with_the_first_whole_window(namer: VoiceNamer) -> None:
    assert [speak(namer, *[ANNA] * k) for k in (1, 2, 3)] == ["", "", "anna"]
    assert said(namer, ANNA, 5) == ["anna"] * 5


def test_another_voice_ends_the_name_and_gets_its_own(namer: VoiceNamer) -> None:
    said(namer, ANNA, 4)
    mixed = ANNA + BERT
    assert speak(namer, BERT, mixed, ANNA) == ""  # the last half second is already unlike her
    assert speak(namer, BERT, BERT, mixed) == ""
    assert speak(namer, BERT, BERT, BERT) == "bert"


def test_a_stranger_ends_the_name_and_has_none(namer: VoiceNamer) -> None:
    said(namer, ANNA, 4)
    assert said(namer, STRANGER, 8) == [""] * 8


def test_after_a_stranger_a_name_does_not_wait_for_the_average(namer: VoiceNamer) -> None:
    said(namer, STRANGER, 8)
    assert said(namer, ANNA, 3)[-1] == "anna"


def test_a_doubt_is_forgiven_at_once(namer: VoiceNamer) -> None:
    said(namer, ANNA, 4)
    assert speak(namer, STRANGER, ANNA, ANNA) == ""  # a cough
    assert speak(namer, ANNA, ANNA, ANNA) == "anna"


def test_speech_after_a_window_names_who_has_no_name_yet_and_takes_none(namer: VoiceNamer) -> None:
    half = ANNA + 3 * STRANGER
    namer.hear_more(ANNA)
    assert namer.identity == "", "not before there is a whole window"
    assert said(namer, half, 3)[-1] == ""
    namer.hear_more(ANNA)
    assert namer.identity == "anna"
    namer.hear_more(STRANGER)
    assert namer.identity == "anna"


def test_silence_forgets(namer: VoiceNamer) -> None:
    said(namer, ANNA, 4)
    namer.forget()
    assert namer.identity == "" and speak(namer, ANNA) == ""


def test_a_person_who_is_removed_loses_the_name(namer: VoiceNamer, gallery: VoiceGallery) -> None:
    said(namer, ANNA, 4)
    gallery.remove("anna")
    assert said(namer, ANNA, 2) == ["", ""]


def test_devices_that_record_are_listed(tmp_path: Path) -> None:
    listing = tmp_path / "pcm"
    listing.write_text("00-00: ALC257 Analog : ALC257 : playback 1 : capture 1\n00-03: HDMI 0 : HDMI 0 : playback 1\n"
                       "02-00: USB Audio : USB Audio : capture 1\n")  # fmt: skip
    assert [name for name, _ in devices(listing)] == ["plughw:0,0", "plughw:2,0"]
    assert devices(tmp_path / "none") == []


class Device:
    """Stands for ALSA, which no test machine has: busy, then sound, then unplugged, then sound again."""

    def __init__(self) -> None:
        self.opened = 0

    def blocks(self, device: str, channel: int) -> object:
        from face_af_speaker.sound_files import SoundError

        self.opened += 1
        if self.opened == 1:
            raise SoundError(f"{device}: {sound_source._HINTS[errno.EBUSY]}")
        yield np.zeros(1600, np.float32)
        if self.opened == 2:
            raise SoundError(f"{device}: {sound_source._HINTS[errno.ENODEV]}")
        while True:
            yield np.zeros(1600, np.float32)


def test_a_busy_or_lost_device_is_told_once_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    device, said_lines, enough = Device(), [], threading.Event()
    monkeypatch.setattr(sound_source, "device_blocks", device.blocks)
    monkeypatch.setattr(sound_source, "PAUSES_S", (0.01, 0.02))
    heard: list[Sound] = []

    def hear(sound: Sound, clock: int) -> None:
        heard.append(sound)
        if len(heard) > 5:
            enough.set()

    source = SoundSource("default", 0, hear, lambda: 0, said_lines.append)
    source.start()
    assert enough.wait(5)
    source.close()
    lines = [line for line in said_lines if line]
    assert lines == ["default: in use by another program", "default: there is no such device, or it was unplugged"]


def test_a_missing_device_is_one_line() -> None:
    from face_af_speaker.sound_files import SoundError

    for name in ("plughw:97,3", "no/such/file.wav", "show.mp4"):
        with pytest.raises(SoundError, match="there is no such"):
            next(sound_source.device_blocks(name, 0))


def test_a_file_is_played_at_its_own_pace(tmp_path: Path) -> None:
    import threading
    import time
    import wave

    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(RATE))  # half a second
    heard, ended = [], threading.Event()
    source = SoundSource(str(path), 0, lambda sound, clock: heard.append(len(sound)), lambda: 0, lambda line: None)
    started = time.monotonic()
    source.start()
    while not source.ended and time.monotonic() < started + 10:
        ended.wait(0.01)
    assert source.ended and sum(heard) == RATE // 2 and time.monotonic() - started >= 0.45


def heard(*rows: np.ndarray) -> Listened:
    """Half a second of speech each, the windows embedded as ``rows``."""
    nothing = np.empty(0, np.float32)
    speech = Speech(nothing, nothing.astype(float), 1.0, 0.1, 0.1, 0.0, 0.0)
    return Listened(speech, 0.5, False, tuple(np.stack([row] * 3) for row in rows), None)


def test_the_voice_that_was_heard_last_is_enrolled(namer: VoiceNamer) -> None:
    gallery, newest = VoiceGallery(None, "m"), NewestVoice()
    newest.hear(heard(*[BERT] * 30, *[ANNA] * 4))
    with pytest.raises(SoundError, match=r"2\.5 s of one voice were heard last, 5 are needed"):
        newest.enrol(gallery, "anna", 10.0)
    newest.hear(heard(*[ANNA] * 5))
    done = newest.enrol(gallery, "anna", 10.0)
    assert (done.seconds, gallery.names) == (5.0, ["anna"])
    assert gallery.samples("anna")[0].embedding @ ANNA > 0.99
    with pytest.raises(SoundError, match="0 s of one voice"):
        newest.enrol(gallery, "anna", 10.0)
    with pytest.raises(SoundError, match="5 to 60"):
        newest.enrol(gallery, "anna", 1.0)
