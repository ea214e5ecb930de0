"""What the main pass hands on: the best frame of a moment, cut and encoded, with everything known of it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .engine import Image


@dataclass(frozen=True)
class Candidate:
    """One crop of ``person``.

    ``box``: x, y, width, height of the crop in pixels of the upright frame, ``face`` likewise; ``distance`` -1 where no
    face was visible; ``scene`` is the frame at which its scene began; ``hash`` 64 bits of the image's perceptual hash;
    ``estimated``: the body was estimated from the face. ``data`` is the encoded crop, ``preview`` the annotated frame
    as JPEG or empty.
    """

    person: str
    frame: int
    time: float
    score: float
    distance: float
    second: float
    box: tuple[int, int, int, int]
    face: tuple[float, float, float, float]
    ratio: str
    quality: float
    sharpness: float
    pose: str
    brightness: float
    scene: int
    hash: int
    estimated: bool
    embedding: NDArray[np.float32]
    data: bytes
    preview: bytes = b""


@dataclass(frozen=True)
class PieceResult:
    """All candidates of a stretch of video, in order, and its debug lines."""

    candidates: tuple[Candidate, ...]
    debug: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """One NPZ of plain arrays, readable without unpickling."""
        records: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {}
        for i, candidate in enumerate(self.candidates):
            record = {k: v for k, v in _plain(candidate).items() if k not in ("embedding", "data", "preview")}
            records.append(record)
            arrays[f"embedding{i}"] = candidate.embedding
            arrays[f"data{i}"] = np.frombuffer(candidate.data, np.uint8)
            arrays[f"preview{i}"] = np.frombuffer(candidate.preview, np.uint8)
        text = json.dumps({"candidates": records, "debug": self.debug}).encode()
        buffer = io.BytesIO()
        arrays["record"] = np.frombuffer(text, np.uint8)
        np.savez(buffer, **arrays)  # type: ignore[arg-type]  # of its own flag, which is not among the names
        return buffer.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> PieceResult:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            record = json.loads(arrays["record"].tobytes())
            candidates = []
            for i, fields in enumerate(record["candidates"]):
                fields["box"], fields["face"] = tuple(fields["box"]), tuple(fields["face"])
                candidates.append(
                    Candidate(
                        **fields,
                        embedding=arrays[f"embedding{i}"],
                        data=arrays[f"data{i}"].tobytes(),
                        preview=arrays[f"preview{i}"].tobytes(),
                    )
                )
        return PieceResult(tuple(candidates), tuple(record["debug"]))


def _plain(candidate: Candidate) -> dict[str, Any]:
    return {name: getattr(candidate, name) for name in candidate.__dataclass_fields__}


def perceptual_hash(image: Image) -> int:
    """64 bits: which of the 8 x 8 lowest frequencies of a 32 x 32 gray image exceed their median (pHash)."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int(sum(1 << i for i, bit in enumerate(bits.tolist()) if bit))


def encoded(image: Image, fmt: str, quality: int) -> bytes:
    """``image`` as JPEG, PNG or WebP bytes; the same pixels give the same bytes."""
    options: Sequence[int] = {
        "jpg": (cv2.IMWRITE_JPEG_QUALITY, quality),
        "webp": (cv2.IMWRITE_WEBP_QUALITY, quality),
        "png": (cv2.IMWRITE_PNG_COMPRESSION, 4),
    }[fmt]
    good, data = cv2.imencode(f".{fmt}", image, list(options))
    if not good:
        raise ValueError(f"OpenCV cannot write {fmt} here")
    return data.tobytes()
