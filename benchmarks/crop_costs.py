"""What crops cost: time beside decoding and beside the plain way, memory over an hour."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
from crop_runs import ROOM, Report, command, first_person, repeated, rows_of

from face_af_crops.bank import Bank
from face_af_crops.engine import Models, engine
from face_af_crops.main_pass import MainPass
from face_af_crops.prescan import scan
from face_af_crops.references import load_references
from face_af_crops.settings import CropSettings, make_settings
from face_af_crops.video import VideoFile, open_video

WALKERS = "facenet_pytorch_video.mp4"


def _best_of(times: int, act: Callable[[], object]) -> float:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def speed(media: Path, work: Path, rounds: int) -> Report:
    """Pre-scan beside decoding alone, main pass beside the plain way, on 1080p; the best of several rounds each."""
    video = open_video(repeated(media / WALKERS, work / "walkers.mp4", 12.0))
    settings = make_settings()
    networks = engine(Models())
    frame = next(iter(video.frames(video.count // 3, video.count // 3 + 1))).image()
    face = networks.faces(frame, settings.face_det_conf, 40)[0].box
    left, top = (max(0, round(v - face.height)) for v in (face.x, face.y))
    cv2.imwrite(
        str(work / "walker.png"), frame[top : round(face.bottom + face.height), left : round(face.right + face.width)]
    )
    bank = load_references([str(work / "walker.png")], [], networks, Path(), print).bank

    def decode() -> None:
        for _ in video.frames():
            pass

    decode()
    scan(video, 0, min(60, video.count), networks, settings)
    decoding = _best_of(rounds, decode)
    scanning = _best_of(rounds, lambda: scan(video, 0, video.count, networks, settings))
    passing = _best_of(rounds, lambda: MainPass(video, networks, bank, settings).run(0, video.count))
    plainly = _best_of(1, lambda: _plain_way(video, bank, settings))
    return {
        "seconds_of_video": round(video.duration, 2),
        "size": [video.width, video.height],
        "frames_per_second": round(video.rate, 2),
        "decoding_s": round(decoding, 2),
        "prescan_s": round(scanning, 2),
        "prescan_extra": round(scanning / decoding - 1, 3),
        "main_pass_s": round(passing, 2),
        "main_pass_realtime": round(_at_30(video) / passing, 2),
        "plain_way_s": round(plainly, 2),
        "plain_way_realtime": round(_at_30(video) / plainly, 2),
    }


def _at_30(video: VideoFile) -> float:
    """Seconds that the frames last at 30 a second."""
    return video.count / 30


def _plain_way(video: VideoFile, bank: Bank, settings: CropSettings) -> None:
    """Every frame, every step: no stride, no lock, persons on each frame, each candidate cut out and encoded."""
    plain = make_settings(changes={"frame_stride": 1, "only_best": False, "min_gap_sec": 0.0})
    networks = engine(Models())
    for frame in video.frames():
        image = frame.image()
        if networks.persons is not None:
            networks.persons.detect(image, settings.min_det_conf, settings.min_person_px)
        networks.faces(image, settings.face_det_conf, 16)
        cv2.imencode(".jpg", image)
    del plain, bank


def memory(media: Path, work: Path, minutes: float) -> Report:
    """Peak memory of a whole run over an hour, and over five minutes of the same."""
    reference = first_person(media, work)
    peaks, took = [], []
    for length in (5.0, minutes):
        video = repeated(media / ROOM, work / f"room{length:.0f}.mp4", 60 * length)
        began = time.perf_counter()
        peaks.append(_peak(command(video, reference, work / f"memory{length:.0f}")))
        took.append(time.perf_counter() - began)
        video.unlink()
    return {
        "minutes": minutes,
        "peak_mb_of_5_minutes": round(peaks[0], 1),
        "peak_mb": round(peaks[1], 1),
        "seconds": round(took[1], 1),
        "crops": len(rows_of(work / f"memory{minutes:.0f}")),
    }


def _peak(words: list[str]) -> float:
    """Megabytes at most of a process of its own, which must end well."""
    code = (
        "import resource, subprocess, sys\n"
        "code = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode\n"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    status, peak = done.stdout.split()[-2:]
    if status != "0":
        raise SystemExit(f"crops ended with status {status}: {' '.join(words)}")
    return float(peak)
