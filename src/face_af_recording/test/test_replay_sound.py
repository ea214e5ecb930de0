"""Recorded sound: heard again in a replay and in tune as the speaker node hears it, from bags and videos."""

from __future__ import annotations

import os
from pathlib import Path

import bags
import numpy as np
import pytest
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from face_af_common.image_files import VIDEO_SUFFIXES
from face_af_common.images import to_jpeg
from face_af_common.paths import model_dirs
from face_af_common.stamps import from_ns
from face_af_inference.runtimes import ModelError
from face_af_msgs.msg import Audio
from face_af_recording.bag.bag_folder import RecordingError, TopicInfo
from face_af_recording.bag.definitions import definition
from face_af_recording.recorder.recorder import COMPRESSED_TYPE, BagRecorder, RecorderLimits
from face_af_recording.replay.settings import assignments
from face_af_recording.replay.source import VIDEO_START_NS, open_source
from face_af_recording.replay.speaker_stage import Speaker, recorded_sound
from face_af_recording.replay.stages import compute
from face_af_recording.tune.grid import combinations, parse_axis
from face_af_recording.tune.trials import Job, base_frames, run
from face_af_speaker.features import RATE, pcm

MEDIA = Path(os.environ.get("FACE_AF_TEST_MEDIA", ""))
PEOPLE = sorted(path for path in (MEDIA / "speech").iterdir()) if (MEDIA / "speech").is_dir() else []
needs_speech = pytest.mark.skipif(len(PEOPLE) < 2, reason="FACE_AF_TEST_MEDIA has no folder `speech`")


def write(folder: Path, sound: np.ndarray, seconds: float, gap: tuple[float, float] | None = None) -> Path:
    """A bag with a frame every half second, and sound in pieces of 0.1 s; ``gap``: what of it was lost, seconds."""
    folder.mkdir(parents=True)
    recorder = BagRecorder(folder, RecorderLimits(sync=False))
    kinds = {"image_raw/compressed": COMPRESSED_TYPE, "audio": "face_af_msgs/msg/Audio"}
    for name, kind in kinds.items():
        recorder.add_topic(TopicInfo(f"/face_af/{name}", kind, definition(kind)))
    for number in range(round(seconds * 2)):
        header = Header(stamp=from_ns(bags.START_NS + number * 500_000_000), frame_id="camera")
        recorder.add(
            "/face_af/image_raw/compressed", bags.START_NS, serialize_message(to_jpeg(bags.picture(0), header))
        )
    for at in range(0, len(sound), RATE // 10):
        if gap is not None and gap[0] <= at / RATE < gap[1]:
            continue
        stamp = bags.START_NS + at * 1_000_000_000 // RATE
        message = Audio(sample_rate=RATE, samples=pcm(sound[at : at + RATE // 10]))
        message.header = Header(stamp=from_ns(stamp), frame_id="sound")
        recorder.add("/face_af/audio", stamp, serialize_message(message))
    recorder.close()
    return folder


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from face_af_gallery.voices import VoiceGallery
    from face_af_speaker.enrolment import as_pieces, enrol, recordings
    from face_af_speaker.networks import open_networks

    try:
        networks = open_networks("auto", model_dirs())
    except ModelError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("gallery")
    voices = VoiceGallery.open(folder, networks[1].model_id, create=True)
    for name, person in zip(("anna", "ben"), PEOPLE, strict=False):
        enrol(voices, networks, name, as_pieces(recordings(person)[:2]), print)
    return folder


@pytest.fixture(scope="module")
def talk() -> tuple[np.ndarray, float]:
    """Anna speaks, pauses for 3 s, then Ben speaks (recordings that are not enrolled); when the pause begins."""
    from face_af_speaker.enrolment import recordings
    from face_af_speaker.sound_files import Piece, read

    anna, ben = (read(Piece(recordings(person)[2]))[: 6 * RATE] for person in PEOPLE[:2])
    return np.concatenate([anna, np.zeros(3 * RATE, np.float32), ben]), len(anna) / RATE


@needs_speech
def test_a_bag_with_sound_is_heard_again(gallery: Path, talk: tuple[np.ndarray, float], tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "bag", talk[0], 20))
    parameters = {"speaker": {"gallery": str(gallery)}}
    heard = [frame.speaking for frame in compute(source, ["speaker", "overlay"], parameters)]
    assert [name for name, before in zip(heard, ["", *heard], strict=False) if name != before] == [
        *("anna", "", "ben", ""),
    ]
    assert heard == [f.speaking for f in compute(source, ["speaker", "overlay"], parameters)]
    deaf = compute(source, ["speaker", "overlay"], {"speaker": {"gallery": str(gallery), "threshold": 1.0}})
    assert not any(frame.speaking for frame in deaf)


@needs_speech
def test_lost_sound_is_a_gap_and_no_shift(gallery: Path, talk: tuple[np.ndarray, float], tmp_path: Path) -> None:
    whole = Speaker(open_source(write(tmp_path / "whole", talk[0], 1)), {"gallery": str(gallery)})
    sound, pause = talk
    lost = open_source(write(tmp_path / "cut", sound, 1, gap=(pause + 0.5, pause + 2.0)))
    cut = Speaker(lost, {"gallery": str(gallery)})
    assert len(cut.heard) < len(whole.heard)
    ends = [max(stamp for stamp, heard in each.heard if heard.identity == "ben") for each in (whole, cut)]
    assert abs(ends[0] - ends[1]) <= 250_000_000


@needs_speech
def test_tune_tries_thresholds_of_voices(gallery: Path, talk: tuple[np.ndarray, float], tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "bag", talk[0], 20))
    base = assignments([f"speaker.gallery={gallery}"])
    stages = ("speaker", "steering")
    job = Job(source.path, "", stages, base, base_frames(source, stages, base), None)
    tried = combinations([parse_axis("speaker.threshold=0.5,1.0")])
    assert len(list(run(job, tried, tmp_path / "trials.jsonl", 1))) == 2


def test_a_recording_without_sound_is_one_line(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "bag", np.empty(0, np.float32), 1))
    assert not list(recorded_sound(source))
    with pytest.raises(RecordingError, match="holds no sound; record it with record_audio:=true"):
        next(iter(compute(source, ["speaker"], {})))


@pytest.mark.skipif(not (MEDIA / "short_hamilton_clip.mp4").is_file(), reason="FACE_AF_TEST_MEDIA is not set")
def test_the_sound_of_a_video_begins_with_its_frames() -> None:
    clip = MEDIA / "short_hamilton_clip.mp4"
    assert clip.suffix in VIDEO_SUFFIXES
    pieces = list(recorded_sound(open_source(clip)))
    assert pieces[0][0] == VIDEO_START_NS
    assert 8.0 < sum(len(sound) for _, sound in pieces) / RATE < 11.0
