"""The real networks on real voices (LibriSpeech): names come out right, strangers stay unknown, silence is silent."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from face_af_common.paths import model_dirs
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import ModelError
from face_af_speaker import enrol, evaluate, identify
from face_af_speaker.features import RATE
from face_af_speaker.networks import ActivityNetwork, VoiceEmbedder, open_networks
from face_af_speaker.sound_files import Piece, read
from face_af_speaker.speech import SpeechFrames
from face_af_speaker.voice_windows import VoiceWindows, embed_windows

SPEECH = Path(os.environ.get("FACE_AF_TEST_MEDIA", "")) / "speech"
PEOPLE = sorted(path.name for path in SPEECH.iterdir()) if SPEECH.is_dir() else []
SAME = 0.999
"""Cosine of two embeddings of the same sound; weights of 8 bits round by what else is in the batch."""

pytestmark = pytest.mark.skipif(len(PEOPLE) < 4, reason="FACE_AF_TEST_MEDIA has no folder `speech`")


@pytest.fixture(scope="module")
def networks() -> tuple[ActivityNetwork, VoiceEmbedder]:
    try:
        return open_networks("auto", model_dirs())
    except ModelError as error:
        pytest.skip(str(error))


def files(person: str) -> list[Path]:
    return sorted((SPEECH / person).glob("*.flac"))


def test_the_weights_are_those_of_the_manifest() -> None:
    assert all(load_manifest().entry(name).sha256 for name in ("ge2e", "silero_vad"))


def test_names_come_out_right_and_a_stranger_stays_unknown(
    networks: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known, stranger = PEOPLE[:3], PEOPLE[3]
    people = tmp_path / "people"
    for name in known:
        (people / name).mkdir(parents=True)
        for path in files(name)[:2]:
            shutil.copy(path, people / name)
    probes = {str(files(name)[2]): name for name in known} | {str(path): "" for path in files(stranger)}
    out = tmp_path / "out.json"
    assert identify.main(["--gallery", str(people), "--json", str(out), *probes]) == 0
    found = json.loads(out.read_text())
    assert {path: {s["identity"] for s in segments} for path, segments in found.items()} == {
        path: {name} for path, name in probes.items()
    }
    for segments in found.values():
        assert all(0 <= s["start"] < s["end"] and -1 <= s["similarity"] <= 1 for s in segments)


def test_enrol_identify_and_remove_with_a_gallery(
    networks: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery, name = tmp_path / "gallery", PEOPLE[0]
    first, second, third = map(str, files(name))
    assert enrol.main(["--gallery", str(gallery), "--voice", "änna", first, second]) == 0
    assert enrol.main(["--gallery", str(gallery), "--list"]) == 0
    assert "änna: 2 sessions" in capsys.readouterr().out
    assert identify.main(["--gallery", str(gallery), third, str(tmp_path / "none.wav")]) == 0
    said = capsys.readouterr()
    assert "änna" in said.out and "no such file" in said.err
    assert enrol.main(["--gallery", str(gallery), "--remove", "änna"]) == 0
    assert enrol.main(["--gallery", str(gallery), "--remove", "änna"]) == 1
    assert identify.main(["--gallery", str(tmp_path / "nowhere"), third]) == 2


def test_a_stream_in_pieces_gives_the_windows_of_the_whole(networks: tuple[ActivityNetwork, VoiceEmbedder]) -> None:
    activity, embedder = networks
    sound = np.concatenate([read(Piece(path)) for path in files(PEOPLE[1])])
    whole = SpeechFrames(activity).feed(sound)
    frames, windows = SpeechFrames(activity), VoiceWindows(embedder)
    mels: list[np.ndarray] = []
    found: list[np.ndarray] = []
    for start in range(0, len(sound), 3333):
        speech = frames.feed(sound[start : start + 3333])
        mels.append(speech.mel)
        found += windows.feed(speech.mel)
    assert abs(sum(map(len, mels)) - len(whole.mel)) <= 1
    assert [len(rows) for rows in found[:4]] == [1, 2, 3, 3]
    speech = np.concatenate(mels)
    streamed, batch = np.array([rows[2] for rows in found[2:]]), embed_windows(embedder, speech)
    assert found[4][1] @ embedder.embed([speech[150:250]])[0] > SAME
    assert found[4][0] @ embedder.embed([speech[200:250]])[0] > SAME
    assert (streamed * batch[: len(streamed)]).sum(1).min() > SAME
    left = len(speech) - 50 * len(found)
    longest = windows.longest()
    if left < 20:
        assert longest is None
    else:
        assert longest is not None and longest[0] @ embedder.embed([speech[-150 - left :]])[0] > SAME


def test_silence_noise_and_a_tone_hold_no_speech(networks: tuple[ActivityNetwork, VoiceEmbedder]) -> None:
    rng = np.random.default_rng(3)
    time = np.arange(10 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in (220, 277.2, 329.6)).astype(np.float32) * 0.2
    for sound in (np.zeros(10 * RATE, np.float32), 0.1 * rng.standard_normal(10 * RATE).astype(np.float32), tones):
        assert SpeechFrames(networks[0]).feed(sound).share < 0.05


def test_a_weak_or_strong_signal_is_brought_into_the_usual_range(
    networks: tuple[ActivityNetwork, VoiceEmbedder],
) -> None:
    sound = read(Piece(files(PEOPLE[0])[0]))
    weak, weaker = (SpeechFrames(networks[0]).feed(sound * g).mel.sum(1).mean() for g in (0.02, 0.01))
    assert weak == pytest.approx(weaker, rel=0.1)
    strong = SpeechFrames(networks[0]).feed(np.clip(sound * 20, -1, 1)).mel.sum(1).mean()
    assert 10 < strong / weak < 20  # 12 dB


def test_evaluate_says_how_good_it_is(networks: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["--heard", "1.5", "--enrol", "4", "--repeats", "1", "--json", str(figures), "--plots", str(tmp_path)]
    assert evaluate.main([str(SPEECH), *arguments]) == 0
    report = json.loads(figures.read_text())
    assert report["people"] == len(PEOPLE) and report["heard"]["1.5"]["as_shipped"]["named"] > 70
    assert (tmp_path / "voices.png").stat().st_size > 10_000


def test_the_classic_way_stands_in_the_same_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people = tmp_path / "people"
    for name in PEOPLE[:3]:
        shutil.copytree(SPEECH / name, people / name)
    figures = tmp_path / "figures.json"
    assert evaluate.main([str(people), "--classic", "--heard", "2", "--enrol", "3", "--json", str(figures)]) == 0
    row = json.loads(figures.read_text())["classic"]["2"]
    assert "193 features" in capsys.readouterr().out
    assert row["as_shipped"]["threshold"] == 0.95 and row["as_shipped"]["named"] > row["as_shipped"]["misnamed"]
