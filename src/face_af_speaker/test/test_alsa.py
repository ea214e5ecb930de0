"""Sound through ALSA itself, from a file that it plays as a microphone; and devices that are not as one would like."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from face_af_speaker.features import RATE, pcm
from face_af_speaker.sound_files import SoundError
from face_af_speaker.sound_source import device_blocks

SYSTEM = Path("/usr/share/alsa/alsa.conf")
LISTEN = """
import json, sys
import numpy as np
import face_af_common  # makes PyAV importable for ROS' own Python
from face_af_speaker.sound_files import SoundError, first_seconds
from face_af_speaker.sound_source import device_blocks
try:
    sound = np.concatenate(list(first_seconds(device_blocks(sys.argv[1], int(sys.argv[2])), 0.1)))
    print(json.dumps([round(float(x), 4) for x in sound]))
except SoundError as error:
    print(json.dumps(str(error)))
"""


def listened(folder: Path, device: str, channel: int = 0) -> Any:
    """Of a process of its own: ALSA reads its configuration once."""
    config = folder / "asound.conf"
    microphone = f"type file slave.pcm null file /dev/null infile {folder / 'mic.raw'} format raw"
    config.write_text(f"<{SYSTEM}>\npcm.mic {{ {microphone} }}\n")
    run = subprocess.run(
        [sys.executable, "-c", LISTEN, device, str(channel)], capture_output=True, text=True, timeout=100,
        env={**os.environ, "ALSA_CONFIG_PATH": str(config)},
    )  # fmt: skip
    assert run.returncode == 0 and run.stderr == "", run.stderr
    return json.loads(run.stdout)


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.skipif(not SYSTEM.exists(), reason="no ALSA here (apt install libasound2-data)")
def test_a_microphone_of_alsa_is_heard_as_it_is(tmp_path: Path) -> None:
    sound = tone(3.0)
    (tmp_path / "mic.raw").write_bytes(pcm(sound).tobytes())
    heard = listened(tmp_path, "mic")
    assert len(heard) >= 0.1 * RATE - 32 and np.allclose(heard, sound[: len(heard)], atol=2e-3)


@pytest.mark.skipif(not SYSTEM.exists(), reason="no ALSA here (apt install libasound2-data)")
@pytest.mark.parametrize("device", ["nowhere", "hw:7,0", "nowhere.wav"])
def test_a_device_that_is_not_there_is_one_line(tmp_path: Path, device: str) -> None:
    said = listened(tmp_path, device)
    assert said.startswith(f"{device}: ") and ("no such device" in said or "no such file" in said)


class Interface:
    """A line-in with one rate and two channels, as PyAV would open it."""

    def __init__(self, sound: np.ndarray, refusal: int = errno.EIO) -> None:
        self.sound, self.refusal, self.streams = sound, refusal, type("Streams", (), {"audio": [None]})

    def open(self, device: str, format: str, options: dict[str, str]) -> Interface:
        if self.refusal != errno.EIO or options.get("ch_layout") == "mono" or options.get("sample_rate") != "44100":
            raise OSError(self.refusal, "Input/output error")
        return self

    def __enter__(self) -> Interface:
        return self

    def __exit__(self, *_: object) -> None: ...

    def decode(self, _: object) -> Any:
        from av import AudioFrame

        for at in range(0, len(self.sound), 441):
            pair = np.stack([self.sound[at : at + 441], np.zeros_like(self.sound[at : at + 441])])
            frame = AudioFrame.from_ndarray(pair, format="fltp", layout="stereo")
            frame.sample_rate = 44100
            yield frame


@pytest.mark.parametrize(("channel", "peak"), [(0, 0.35), (1, 0.5), (2, 0.0)])
def test_an_interface_with_44100_hz_and_two_channels(
    monkeypatch: pytest.MonkeyPatch, channel: int, peak: float
) -> None:
    import av

    monkeypatch.setattr(av, "open", Interface(tone(2.0, 44100)).open)
    heard = np.concatenate(list(device_blocks("line", channel)))
    assert abs(len(heard) - 2 * RATE) < 100
    assert np.abs(heard[RATE // 10 : -RATE // 10]).max() == pytest.approx(peak, abs=0.02)


@pytest.mark.parametrize(("number", "said"), [(errno.EBUSY, "in use by another"), (errno.EACCES, "group audio")])
def test_a_busy_device_is_asked_once_and_told(monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    import av

    asked: list[str] = []
    interface = Interface(tone(0.1), number)

    def open_(device: str, **more: Any) -> Interface:
        asked.append(device)
        return interface.open(device, **more)

    monkeypatch.setattr(av, "open", open_)
    with pytest.raises(SoundError, match=said):
        next(device_blocks("line", 0))
    assert asked == ["line"]
