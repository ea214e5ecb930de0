"""The first, fast pass: every so many frames, small. What it saw is kept, so that it can be judged again later."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bank import Bank, doubted
from .bank import SeenFace as BankFace
from .engine import Engine, Image
from .settings import CropSettings
from .spans import Sighting
from .video import VideoFile

SMALLEST = 12
"""Height in pixels of the smallest face that is looked at in a reduced frame."""

_SPARSE = 8
"""From this stride on, the next frame that others are predicted from will do: usually one to three frames away, 16 at
most (x264 with all its B-frames)."""


@dataclass(frozen=True)
class Scan:
    """The pre-scan of a stretch of one video.

    ``frames``, ``times``: of every sample (S). ``owner`` (F): the sample in which each face was; ``embeddings``
    (F x D), ``quality`` (F).
    """

    frames: NDArray[np.int64]
    times: NDArray[np.float64]
    owner: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    quality: NDArray[np.float32]

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez(
            buffer,
            frames=self.frames,
            times=self.times,
            owner=self.owner,
            embeddings=self.embeddings,
            quality=self.quality,
        )
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> Scan:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Scan(*(arrays[name] for name in ("frames", "times", "owner", "embeddings", "quality")))

    @staticmethod
    def joined(scans: Sequence[Scan]) -> Scan:
        """Scans of neighbouring stretches as one."""
        starts = np.cumsum([0, *(len(scan.frames) for scan in scans)])
        return Scan(
            np.concatenate([scan.frames for scan in scans]),
            np.concatenate([scan.times for scan in scans]),
            np.concatenate([scan.owner + start for scan, start in zip(scans, starts, strict=False)]),
            np.concatenate([scan.embeddings for scan in scans]),
            np.concatenate([scan.quality for scan in scans]),
        )


def scan(video: VideoFile, start: int, end: int, engine: Engine, settings: CropSettings) -> Scan:
    """Looks at frames ``start`` to before ``end``: every ``prescan_stride``-th, and each key frame.

    Key frames are often the first of a scene: a scene shorter than the stride is seen that way. Where the stride allows
    it, frames that no other needs are not decoded, and the next one is looked at. Decoding goes on in a thread of its
    own while faces are looked for.
    """
    frames: list[int] = []
    times: list[float] = []
    owner: list[int] = []
    rows: list[NDArray[np.float32]] = []
    quality: list[float] = []
    for index, time, image in _samples(video, start, end, settings):
        for face in engine.faces(image, settings.face_det_conf, SMALLEST):
            owner.append(len(frames))
            rows.append(face.embedding)
            quality.append(face.quality)
        frames.append(index)
        times.append(time)
    dimension = engine.analyser.embedder.dimension
    return Scan(
        np.array(frames, np.int64),
        np.array(times, np.float64),
        np.array(owner, np.int64),
        np.array(rows, np.float32).reshape(len(rows), dimension),
        np.array(quality, np.float32),
    )


def _samples(video: VideoFile, start: int, end: int, settings: CropSettings) -> Iterator[tuple[int, float, Image]]:
    ready: queue.Queue[tuple[int, float, Image] | BaseException | None] = queue.Queue(2)
    stop = threading.Event()

    def put(item: tuple[int, float, Image] | BaseException | None) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.2)
            except queue.Full:
                pass

    def decode() -> None:
        stride = settings.prescan_stride
        due = -(-start // stride) * stride
        try:
            for frame in video.frames(start, end, quick=stride >= _SPARSE):
                if stop.is_set():
                    return
                if frame.index >= due or frame.key:
                    due = (frame.index // stride + 1) * stride
                    put((frame.index, frame.time, frame.image(settings.prescan_max_width)))
            put(None)
        except BaseException as error:  # told to the thread that waits
            put(error)

    thread = threading.Thread(target=decode, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def faces_for_bank(scan: Scan, video: str) -> list[BankFace]:
    """Every face of a scan, in order of time."""
    return [
        BankFace(video, int(scan.frames[o]), float(scan.times[o]), row, float(q))
        for o, row, q in zip(scan.owner, scan.embeddings, scan.quality, strict=True)
    ]


def sightings(scan: Scan, bank: Bank, person: str, settings: CropSettings) -> list[Sighting]:
    """For each sample the distance of the nearest face to ``person``; ``inf`` where nobody was seen."""
    nearest = np.full(len(scan.frames), np.inf)
    if len(scan.owner):
        distances = doubted(bank.distances(scan.embeddings), scan.quality, settings)
        np.minimum.at(nearest, scan.owner, distances[:, bank.people.index(person)])
    return [Sighting(float(t), float(d)) for t, d in zip(scan.times, nearest, strict=True)]
