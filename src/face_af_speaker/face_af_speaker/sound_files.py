"""Sound out of files: recordings, and the sound of videos, as samples of one channel at 16 kHz, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from face_af_common import media_files

from .features import RATE, Sound

if TYPE_CHECKING:
    from av.container import InputContainer

SUFFIXES = frozenset(
    ".wav .flac .mp3 .m4a .aac .ogg .opus .oga .wma .aiff .aif .mp4 .m4v .mov .mkv .avi .webm .mts .mxf .ts".split()
)
"""Files that are looked for sound in folders."""
_TIME = r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)"
_PIECE = re.compile(rf"(?P<path>.+)@(?P<start>{_TIME})-(?P<end>{_TIME})?")


class SoundError(ValueError):
    """Sound that cannot be read; one line that says which, why and what to do."""


@dataclass(frozen=True)
class Piece:
    """A file, or a part of it from ``start`` to ``end``, seconds; ``end`` None: to its end."""

    path: Path
    start: float = 0.0
    end: float | None = None

    def __str__(self) -> str:
        end = "" if self.end is None else f"{self.end:g}"
        return str(self.path) if (self.start, self.end) == (0.0, None) else f"{self.path}@{self.start:g}-{end}"


def piece(text: str) -> Piece:
    """``anna.wav``, or ``show.mp4@1:20-1:45``: a part of it, as hours:minutes:seconds. Raises :class:`SoundError`."""
    match = _PIECE.fullmatch(text)
    if match is None or Path(text).exists():
        return Piece(Path(text))
    start, end = _seconds(match["start"]), _seconds(match["end"]) if match["end"] else None
    if end is not None and end <= start:
        raise SoundError(f"{text}: the part ends before it starts")
    return Piece(Path(match["path"]), start, end)


def _seconds(text: str) -> float:
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def blocks(source: Piece, channel: int = 0) -> Iterator[Sound]:
    """The sound of a piece in blocks of any size. ``channel``: 1 for the first one, 0 for all of them mixed.

    Raises :class:`SoundError`; a file that is damaged after its beginning ends where the damage is.
    """
    from av.error import FFmpegError

    path = source.path
    if not path.is_file():
        raise SoundError(f"{path}: {'a folder, not a file' if path.is_dir() else 'there is no such file'}")
    try:
        container = media_files.opened(path)
    except (FFmpegError, OSError, ValueError) as error:
        raise SoundError(f"{path}: cannot be read as sound ({_reason(error)})") from error
    with container:
        if not container.streams.audio:
            raise SoundError(f"{path}: there is no sound in it")
        any_sound = False
        for block in _cut(_decoded(container, path, channel), source):
            any_sound = True
            yield block
        if not any_sound:
            raise SoundError(f"{source}: there is no sound in that part" if source.start else f"{path}: no sound in it")


def read(source: Piece, channel: int = 0, most_s: float = 3600.0) -> Sound:
    """The whole sound of a piece, ``most_s`` seconds of it at most. Raises :class:`SoundError`."""
    return np.concatenate(list(first_seconds(blocks(source, channel), most_s)))


def first_seconds(sound: Iterator[Sound], seconds: float) -> Iterator[Sound]:
    """The beginning of what may never end."""
    left = round(seconds * RATE)
    for block in sound:
        yield block[:left]
        left -= len(block)
        if left <= 0:
            return


def _decoded(container: InputContainer, path: Path, channel: int) -> Iterator[Sound]:
    from av.error import FFmpegError

    stream = container.streams.audio[0]
    resampler: Any = None
    frames = container.decode(stream)
    while True:
        try:
            frame: Any = next(frames, None)
        except FFmpegError:  # damaged from here on
            frame = None
        if resampler is None:
            if frame is None:
                raise SoundError(f"{path}: cannot be read as sound (damaged, or of an unknown kind)")
            resampler = Resampler(len(frame.layout.channels), channel, str(path))
        yield from resampler.resampled(frame)
        if frame is None:
            return


class Resampler:
    """Decoded frames to one channel at 16 kHz. Raises :class:`SoundError` where there is no such channel."""

    def __init__(self, channels: int, channel: int, what: str) -> None:
        from av import AudioResampler

        if channel > channels:
            raise SoundError(f"{what}: there is no channel {channel}; it has {channels}")
        self._channel = channel
        self._resampler = AudioResampler("fltp", None if channel else "mono", RATE)

    def resampled(self, frame: Any) -> Iterator[Sound]:
        """What ``frame`` gives; None at the end: what is left."""
        if frame is not None:
            frame.pts = None  # gaps in stamps are not filled, and never an error
        for out in self._resampler.resample(frame):
            samples = out.to_ndarray()
            row = samples[self._channel - 1 if self._channel else 0]
            yield np.nan_to_num(np.asarray(row, np.float32))


def _cut(sound: Iterator[Sound], source: Piece) -> Iterator[Sound]:
    """The part from ``start`` to ``end``. Counted in samples from the beginning: seeking in sound is inexact."""
    first = round(source.start * RATE)
    last = None if source.end is None else round(source.end * RATE)
    at = 0
    for block in sound:
        part = block[max(0, first - at) : None if last is None else max(0, last - at)]
        at += len(block)
        if len(part):
            yield part
        if last is not None and at >= last:
            return


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]
