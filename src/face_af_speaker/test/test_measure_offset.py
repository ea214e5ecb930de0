"""How late the sound of a video is, from one bang with a flash."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from face_af_speaker.features import RATE
from face_af_speaker.measure_offset import main, sound_moment


def video(path: Path, flash_s: float, bang_s: float, seconds: float = 3.0) -> Path:
    rng = np.random.default_rng(1)
    sound = (0.01 * rng.standard_normal(round(seconds * RATE))).astype(np.float32)
    start = round(bang_s * RATE)
    sound[start : start + 800] += np.exp(-np.arange(800) / 150).astype(np.float32) * 0.8
    with av.open(str(path), "w") as out:
        pictures = out.add_stream("mpeg4", rate=30)
        pictures.width, pictures.height = 160, 96
        audio = out.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for number in range(round(seconds * 30)):
            gray = np.full((96, 160, 3), 40, np.uint8) + rng.integers(0, 3, (96, 160, 3), np.uint8)
            if abs(number / 30 - flash_s) < 0.01:
                gray[20:70, 40:120] = 230
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(gray, "rgb24")))
        samples = av.AudioFrame.from_ndarray((sound[None] * 32767).astype(np.int16), "s16", "mono")
        samples.sample_rate, samples.time_base, samples.pts = RATE, Fraction(1, RATE), 0
        out.mux(audio.encode(samples))
        for stream in (pictures, audio):
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("flash_s", "bang_s"), [(1.5, 1.62), (1.0, 0.9), (2.0, 2.0)])
def test_the_offset_is_found_to_one_frame(
    flash_s: float, bang_s: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(video(tmp_path / "clap.mkv", flash_s, bang_s))]) == 0
    said = capsys.readouterr().out
    offset = float(said.split("offset:=")[1].split()[0])
    assert offset == pytest.approx(bang_s - flash_s, abs=1 / 30)


def test_without_a_clap_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(video(tmp_path / "a.mkv", 9.0, 1.0))]) == 1
    assert "nothing moves" in capsys.readouterr().err
    assert main([str(tmp_path / "none.mkv")]) == 2
    assert "no such file" in capsys.readouterr().err
    noise = np.random.default_rng(2).standard_normal(3 * RATE).astype(np.float32)
    assert not sound_moment(noise)[1] and not sound_moment(np.zeros(RATE, np.float32))[1]
