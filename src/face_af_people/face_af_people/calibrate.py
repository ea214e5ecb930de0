"""What each embedder's similarity is worth, for the manifest: ``evaluate --calibrate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from face_af_gallery.calibration import fit
from face_af_gallery.matching import similarity

from .labelled_photos import Photos
from .photos import PhotoError


def calibrations(photos: Photos, people: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Slope and offset of each embedder by name, fitted on all pairs of the people's photos.

    Raises :class:`PhotoError` where there are no pairs of one person or of two.
    """
    photos.load([path for paths in people.values() for path in paths])
    usable = [(name, path) for name, paths in people.items() for path in paths if path in photos.faces]
    if not usable:
        raise PhotoError("none of the photos can be used")
    embedder = photos.analyser.embedder
    owners = np.array([name for name, _ in usable])
    same = owners[:, None] == owners[None]
    pairs = np.triu(np.ones_like(same), 1)
    found: dict[str, Any] = {}
    for member, rows in zip(
        embedder.members, embedder.parts(np.stack([photos.faces[p].embedding for _, p in usable])), strict=True
    ):
        alike = similarity(rows, rows)
        try:
            line = fit(alike[pairs & same], alike[pairs & ~same])
        except ValueError as error:
            raise PhotoError(f"calibration: {error}") from error
        found[member.name] = [round(line.slope, 2), round(line.offset, 2)]
    return found
