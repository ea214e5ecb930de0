"""``ros2 run face_af_speaker measure_offset``: by how much the sound of a video is late, from one clap.

Clap once in front of the camera, hands wide apart before, and record it by the way that the show takes: the clap is the
loudest sudden sound, and the fastest movement of the picture within half a second of it. Exact to about one frame.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common import media_files
from face_af_common.files import regular

from .features import RATE, Sound
from .options import complain, told
from .sound_files import Piece, SoundError, read

NEAR_S = 0.5
"""So near to the sound the movement is looked for."""
CLEAR = 3.0
"""The loudest rise must be so many times the next one that is not near it, and so the movement."""
_WINDOW = RATE // 200
_SIZE = (64, 36)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="measure_offset", description=(__doc__ or "").split(": ", 1)[1].split("\n")[0]
    )
    parser.add_argument("video", type=Path, help="a video with one clap that is seen and heard")
    options = parser.parse_args(argv)
    return told(lambda: _run(options.video))


def _run(path: Path) -> int:
    heard, clear = sound_moment(read(Piece(path), most_s=120.0))
    if not clear:
        complain(f"{path}: there is no single loud clap in its sound")
        return 1
    times, motion = movement(path)
    near = np.abs(times - heard) <= NEAR_S
    if not near.any():
        raise SoundError(f"{path}: there are no frames near the clap at {heard:.2f} s")
    moved = float(times[near][motion[near].argmax()])
    if motion[near].max() < CLEAR * max(float(np.median(motion)), 1e-6):
        complain(f"{path}: nothing moves near the clap at {heard:.2f} s; clap in front of the camera")
        return 1
    frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    print(f"sound {heard:.3f} s, image {moved:.3f} s: -p offset:={heard - moved:.3f}   (to {frame:.3f} s)")
    return 0


def sound_moment(sound: Sound) -> tuple[float, bool]:
    """When the loudest sudden sound begins, seconds, and whether it is far louder than every other one."""
    count = len(sound) // _WINDOW
    energy = (sound[: count * _WINDOW].reshape(count, _WINDOW) ** 2).mean(1)
    rise = np.maximum(0, np.diff(energy, prepend=energy[:1]))
    if not rise.any():
        return 0.0, False
    best = int(rise.argmax())
    reach = round(0.3 * RATE / _WINDOW)
    others = np.concatenate([rise[: max(0, best - reach)], rise[best + reach :]])
    return best * _WINDOW / RATE, bool(rise[best] >= CLEAR * (others.max() if len(others) else 0.0))


def movement(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each frame's time, seconds, and how much it differs from the one before."""
    times, motion = [], []
    before: NDArray[np.float32] | None = None
    for time, small in _frames(path):
        times.append(time)
        motion.append(0.0 if before is None else float(np.abs(small - before).mean()))
        before = small
    return np.array(times), np.array(motion)


def _frames(path: Path) -> Iterator[tuple[float, NDArray[np.float32]]]:
    from av.error import FFmpegError

    try:
        with media_files.opened(regular(path)) as container:
            if not container.streams.video:
                raise SoundError(f"{path}: there is no image in it")
            for frame in container.decode(container.streams.video[0]):
                if frame.time is not None and frame.time <= 120.0:
                    small: Any = frame.reformat(*_SIZE, format="gray")
                    yield float(frame.time), small.to_ndarray().astype(np.float32)
    except FFmpegError as error:
        raise SoundError(f"{path}: cannot be read as a video ({error.strerror})") from error
