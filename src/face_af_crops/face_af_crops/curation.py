"""The best N of many crops: good ones that differ, by maximal marginal relevance.

One after the other the crop with the highest ``weight x relevance - (1 - weight) x likeness to those chosen`` is taken
(Carbonell and Goldstein 1998). Relevance is the crop's rank by score; likeness counts what two crops share.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from face_af_common.files import regular
from face_af_common.names import short

from .errors import CropError
from .output import COLUMNS

_WORDS = ("ratio", "pose", "scene", "hash", "body", "person", "video", "crop_path")
BINS = 3
"""Framing, sharpness and light are each told apart in so many equal shares of the whole set."""


@dataclass(frozen=True)
class Row:
    """A line of ``index.csv``, as text by column."""

    cells: dict[str, str]

    @property
    def path(self) -> str:
        return self.cells["crop_path"]

    def number(self, name: str) -> float:
        return float(self.cells[name] or "nan")


def read_index(folder: Path) -> list[Row]:
    """The rows of ``folder/index.csv``. Raises :class:`CropError` where it is none of ours."""
    path = folder / "index.csv"
    try:
        with regular(path).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CropError(f"{path}: cannot be read; is {folder} the output of crops?") from error
    for row in rows:
        if set(row) != set(COLUMNS) or None in row.values():
            raise CropError(f"{path}: not an index of crops, or a damaged one")
        place = Path(row["crop_path"])
        if place.is_absolute() or ".." in place.parts or place.parts[:1] != ("crops",):
            raise CropError(f"{path}: {row['crop_path']!r} is outside of crops/")
        try:
            _check_numbers(row)
        except ValueError as error:
            raise CropError(f"{path}: damaged ({short(str(error))})") from error
    return [Row(row) for row in rows]


def _check_numbers(row: dict[str, str]) -> None:
    """Raises :class:`ValueError` where a number is none."""
    for name in set(COLUMNS) - set(_WORDS):
        float(row[name] or "nan")
    if not 0 <= int(row["hash"], 16) < 1 << 64:
        raise ValueError("a hash of more than 64 bits")


def choose(rows: Sequence[Row], count: int, weight: float = 0.5) -> list[int]:
    """Positions of at most ``count`` rows, in the order in which they were chosen.

    ``weight`` 1: only quality counts, 0: only variety.
    """
    if not rows:
        return []
    scores = np.array([row.number("score") for row in rows])
    relevance = scores.argsort(kind="stable").argsort(kind="stable") / max(1, len(rows) - 1)
    features, bits = _features(rows), _bits(rows)
    nearest = np.zeros(len(rows))
    left = np.ones(len(rows), bool)
    chosen: list[int] = []
    while left.any() and len(chosen) < count:
        gain = np.where(left, weight * relevance - (1 - weight) * nearest, -np.inf)
        best = int(gain.argmax())
        chosen.append(best)
        left[best] = False
        shared = (features == features[best]).mean(1)
        images = 1 - (bits != bits[best]).mean(1)
        nearest = np.maximum(nearest, (shared + images) / 2)
    return chosen


def _features(rows: Sequence[Row]) -> NDArray[np.int64]:
    """N x 5 labels: pose, framing (the face's share of the crop), sharpness, scene, light."""
    share = [row.number("face_h") / max(1.0, row.number("y2") - row.number("y1")) for row in rows]
    columns = [
        _labels([row.cells["pose"] for row in rows]),
        _binned(share),
        _binned([row.number("sharpness") for row in rows]),
        _labels([row.cells["video"] + "/" + row.cells["scene"] for row in rows]),
        _binned([row.number("brightness") for row in rows]),
    ]
    return np.stack(columns, 1)


def _labels(values: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _binned(values: Sequence[float]) -> NDArray[np.int64]:
    ranks = np.nan_to_num(np.array(values)).argsort(kind="stable").argsort(kind="stable")
    return np.asarray(ranks * BINS // max(1, len(values)), np.int64)


def _bits(rows: Sequence[Row]) -> NDArray[np.bool_]:
    hashes = np.array([int(row.cells["hash"], 16) for row in rows], np.uint64)
    return np.asarray((hashes[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1), np.bool_)
