"""Detectors and recognisers of several ages beside one another, on the same photographs: ``evaluate --compare``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_common.types import Box
from face_af_gallery.metrics import limit_at
from face_af_inference.runtimes import ModelError

from . import older_recognisers, open_set
from .labelled_photos import Photos
from .measured import DETECTOR, EMBEDDER, OLDER, Job, Measured, measure
from .older_recognisers import Enrolled, Rows
from .photos import PhotoError

DETECTORS = ("scrfd", "centerface", "mtcnn", "ssd", "haar", "hog")
EMBEDDERS = ("dlib", "facenet")
"""Embedders that are compared with the chosen one and its members."""
SMALLEST_PX = 24
"""Width of the smallest face that a detector should have found."""
OVERLAP = 0.3
"""Intersection over union from which on a box is the same face: detectors cut faces differently."""
ADVICE = ".venv/bin/pip install --no-deps -r requirements/older_methods.txt"

Say = Callable[[str], None]


def compare(
    photos: Photos,
    people: Mapping[str, Sequence[Path]],
    models: argparse.Namespace,
    *,
    enrol: int,
    far: float,
    repeats: int,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Figures of every method, and what was left out, why. ``people``: usable photographs by person.

    Raises :class:`PhotoError`.
    """
    indices: dict[str, list[int]] = {}
    order = [path for paths in people.values() for path in paths]
    for index, name in enumerate(name for name, paths in people.items() for _ in paths):
        indices.setdefault(name, []).append(index)
    if len(indices) < 2 or max(map(len, indices.values())) <= enrol:
        raise PhotoError(f"--compare needs two people, and one with more than {enrol} usable photos")
    left_out: dict[str, str] = {}

    def tried(job: Job) -> Measured | None:
        say(f"measuring {job.name}")
        try:
            return measure(job)
        except ModelError as error:
            left_out[job.name] = str(error)
            return None

    def rates(score: open_set.Scorer, lead: Any = None) -> dict[str, float]:
        trial = open_set.evaluate(indices, score, enrol=enrol, margin=0.0, lead=lead, repeats=repeats)
        named, wrong, false = trial.rates(limit_at(trial.strangers, far))
        return {"named": named, "misnamed": wrong, "strangers": false}

    return {
        "enrolled": enrol,
        "far": far,
        "photos": len(order),
        "detectors": _detectors(photos, order, models, tried),
        "recognisers": _recognisers(photos, order, models, tried, rates),
        "left_out": left_out,
    }


# -- detectors ---------------------------------------------------------------------------------------------------------


def _detectors(
    photos: Photos, order: Sequence[Path], models: argparse.Namespace, tried: Callable[[Job], Measured | None]
) -> list[dict[str, Any]]:
    """The chosen detector, whose faces count as what there is to find, and the others."""
    chosen = photos.analyser.detector.spec
    others = [name for name in DETECTORS if name not in (chosen.name, chosen.group, chosen.family)]
    reference: list[NDArray[np.float32]] = []
    rows = []
    for name in (chosen.name, *others):
        measured = tried(Job(DETECTOR, name, models, order))
        if measured is None:
            continue
        reference = reference or measured.values
        found, wanted, false = judged(measured.values, reference)
        rows.append(
            {
                "name": name, "found": found / max(1, wanted), "false": 100 * false / len(order),
                "milliseconds": measured.milliseconds, "memory_mb": measured.memory_mb,
            }
        )  # fmt: skip
    return rows


def judged(found: Sequence[NDArray[np.float32]], reference: Sequence[NDArray[np.float32]]) -> tuple[int, int, int]:
    """How many of the reference's faces (of :data:`SMALLEST_PX` and more) were found, how many there are, and how many
    boxes show no face of the reference, however small. Boxes: N x 4 a photograph."""
    hits = wanted = false = 0
    for mine, theirs in zip(found, reference, strict=True):
        boxes, faces = [Box(*map(float, b)) for b in mine], [Box(*map(float, b)) for b in theirs]
        free = list(boxes)
        for face in sorted(faces, key=lambda f: -f.area):
            best = max(free, key=face.iou, default=None)
            hit = best is not None and face.iou(best) >= OVERLAP
            if hit and best is not None:
                free.remove(best)
            if face.width >= SMALLEST_PX:
                wanted += 1
                hits += hit
        false += sum(not any(face.contains(*box.center) for face in faces) for box in free)
    return hits, wanted, false


# -- recognisers -------------------------------------------------------------------------------------------------------


def _recognisers(
    photos: Photos,
    order: Sequence[Path],
    models: argparse.Namespace,
    tried: Callable[[Job], Measured | None],
    rates: Callable[..., dict[str, float]],
) -> list[dict[str, Any]]:
    from face_af_gallery.gallery import Gallery

    from .identification import scorer

    embedder = photos.analyser.embedder
    landmarks = [photos.faces[path].landmarks for path in order]
    families = {member.spec.family for member in embedder.members}
    single = [member.name for member in embedder.members if len(embedder.members) > 1]
    names = [embedder.name, *single, *(name for name in EMBEDDERS if name not in families)]
    jobs = [Job(EMBEDDER, name, models, order, landmarks) for name in names]
    jobs += [Job(OLDER, name, models, order, landmarks) for name in older_recognisers.ROWS]
    rows = []
    for job in jobs:
        measured = tried(job)
        if measured is None:
            continue
        if job.name == embedder.name:
            figures = rates(scorer(photos, order), Gallery(None, embedder).lead)
        else:
            figures = rates(_nearest(np.stack(measured.values), older_recognisers.FITTED.get(job.name)))
        figures |= {"milliseconds": measured.milliseconds, "memory_mb": measured.memory_mb}
        rows.append({"name": job.name, **figures})
    return rows


def _nearest(rows: Rows, fitted: Callable[[Rows, Enrolled], Rows] | None = None) -> open_set.Scorer:
    """Scores by the Euclidean distance to the nearest enrolled row, among rows made for who is enrolled."""

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], Rows]:
        now = fitted(rows, enrolled) if fitted is not None else rows
        names = sorted({name for name, _ in enrolled})
        taken = now[[index for _, index in enrolled]]
        distance = np.linalg.norm(now[probes][:, None] - taken[None], axis=2)
        owners = np.array([names.index(name) for name, _ in enrolled])
        best = np.stack([distance[:, owners == i].min(1) for i in range(len(names))], 1)
        return names, np.asarray(1 / (1 + best), np.float32)

    return score


# -- the table ---------------------------------------------------------------------------------------------------------


def compared_table(report: Mapping[str, Any]) -> list[str]:
    """The comparison as lines of text."""
    lines = ["", f"compared          {report['photos']} photos, {report['enrolled']} enrolled a person", ""]
    lines.append("  detector              found  false in 100 photos  ms a photo     MB")
    for number, r in enumerate(report["detectors"]):
        found = "  what counts" if number == 0 else f"{r['found']:>13.1%}"
        lines.append(f"  {r['name']:<14}{found}{r['false']:>21.1f}{r['milliseconds']:>12.1f}{r['memory_mb']:>7.0f}")
    lines += [
        "",
        f"  recogniser                     named  misnamed  strangers  ms a face     MB  (at {report['far']:.1%})",
    ]
    for r in report["recognisers"]:
        shares = f"{r['named']:>6.1%}  {r['misnamed']:>8.1%}  {r['strangers']:>9.1%}"
        lines.append(f"  {r['name']:<28} {shares}  {r['milliseconds']:>9.1f}{r['memory_mb']:>7.0f}")
    lines += [f"  left out: {name}: {why}" for name, why in report["left_out"].items()]
    return lines + ([f"  {ADVICE}"] if report["left_out"] else [])
