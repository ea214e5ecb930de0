"""Open-set identification: naming known people, and refusing strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from face_af_gallery import metrics

from . import open_set
from .labelled_photos import Photos
from .photos import PhotoError


def identification(
    photos: Photos, people: dict[str, list[Path]], *, enrol: Sequence[int], far: float, repeats: int, split: bool
) -> tuple[dict[str, Any], list[open_set.OpenSet]]:
    """Figures of naming known people and refusing strangers. Raises :class:`PhotoError`."""
    from face_af_gallery.gallery import Gallery, growth
    from face_af_perception.params import RecognitionParams

    people, suspects = usable(photos, people, split)
    order = [path for paths in people.values() for path in paths]
    indices: dict[str, list[int]] = {}
    for index, name in enumerate(name for name, paths in people.items() for _ in paths):
        indices.setdefault(name, []).append(index)
    if len(indices) < 2:
        raise PhotoError("usable photos of at least two people are needed")
    embedder, margin = photos.analyser.embedder, RecognitionParams().margin
    score, lead = scorer(photos, order), Gallery(None, embedder).lead
    figures: dict[str, Any] = {
        "people": len(indices),
        "photos": len(order),
        "margin": margin,
        "rounds": repeats,
        "suspect_labels": {name: [[p.name for p in part] for part in parts] for name, parts in suspects.items()},
        "split": bool(split),
        "enrolled": {},
    }
    trials = []
    for count in enrol:
        trial = open_set.evaluate(indices, score, enrol=count, margin=margin, lead=lead, repeats=repeats)
        if not len(trial.known):
            raise PhotoError(f"nobody has more than {count} usable photos, so that none is left to try")
        samples = sum(min(count, len(mine)) for mine in indices.values())
        figures["enrolled"][str(count)] = _trial_figures(trial, embedder.above(growth(samples, embedder)), far)
        trials.append(trial)
    return figures, trials


def _trial_figures(trial: open_set.OpenSet, threshold: float, far: float) -> dict[str, Any]:
    """Rates of one number of enrolled photos: at the aimed-at rate of false accepts, and at the model's threshold."""

    def at(limit: float) -> dict[str, float]:
        named, wrong, false = trial.rates(limit)
        return {"threshold": limit, "named": named, "misnamed": wrong, "false_accepts": false}

    return {
        "known_trials": len(trial.known),
        "stranger_trials": len(trial.strangers),
        "first": float(trial.right.mean()),
        "recommended": metrics.threshold_at(trial.strangers, far, trial.known[trial.right]),
        "at_far": at(metrics.limit_at(trial.strangers, far)),
        "at_threshold": at(threshold),
    }


def scorer(photos: Photos, order: Sequence[Path]) -> open_set.Scorer:
    """Scores probes with the gallery that the node uses, before the lead over the second best person is added."""
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import CHIP_SIZE, Chip

    rows = np.stack([photos.faces[path].embedding for path in order])

    def score(enrolled: list[tuple[str, int]], probes: list[int]) -> tuple[list[str], NDArray[np.float32]]:
        gallery = Gallery(None, photos.analyser.embedder)
        for name, index in enrolled:
            face = photos.faces[order[index]]
            # the gallery tells samples apart by their chips; the photo's number will do
            chip = np.zeros((CHIP_SIZE, CHIP_SIZE, 3), np.uint8)
            chip[0, 0] = (index & 255, index >> 8 & 255, index >> 16)
            gallery.add(name, Chip(chip, face.landmarks), face.embedding, face.quality)
        return gallery.names, gallery.nearest(rows[probes])

    return score


def usable(
    photos: Photos, people: Mapping[str, Sequence[Path]], split: bool
) -> tuple[dict[str, list[Path]], dict[str, list[list[Path]]]]:
    """The photographs with a face, by person, and :func:`_suspects`, whom ``split`` counts as several people."""
    photos.load([path for paths in people.values() for path in paths])
    found = {name: [p for p in paths if p in photos.faces] for name, paths in people.items()}
    suspects = _suspects(photos, found)
    if split:
        found = {name: paths for name, paths in found.items() if name not in suspects} | {
            f"{name} ({number})": paths
            for name, parts in suspects.items()
            for number, paths in enumerate(parts, 1)
        }  # fmt: skip
    return found, suspects


def _suspects(photos: Photos, people: dict[str, list[Path]]) -> dict[str, list[list[Path]]]:
    """People whose photos fall into groups of at least two that look like different people, with these groups."""
    from .enrolment import groups

    found = {}
    for name, paths in people.items():
        if len(paths) < 4:
            continue
        rows = np.stack([photos.faces[path].embedding for path in paths])
        parts = groups(rows, photos.analyser.embedder.threshold)
        if sum(len(part) > 1 for part in parts) > 1:
            found[name] = [[paths[i] for i in part] for part in parts]
    return found
