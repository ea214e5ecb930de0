"""Verification: telling pairs of photographs of one person from pairs of two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from face_af_gallery import metrics

from .labelled_photos import Photos
from .photos import PhotoError


def verification(
    photos: Photos, pairs: Sequence[tuple[Path, Path, bool]], far: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and curves of telling pairs of the same person from others. Raises :class:`PhotoError`."""
    from face_af_gallery.matching import similarity

    photos.load([path for a, b, _ in pairs for path in (a, b)])
    usable = [(a, b, same) for a, b, same in pairs if a in photos.faces and b in photos.faces]
    scores = np.array(
        [
            similarity(photos.faces[a].embedding[None], photos.faces[b].embedding[None])[0, 0]
            for a, b, _ in usable
        ],
        np.float64,
    )  # fmt: skip
    same = np.array([s for _, _, s in usable], bool)
    if not same.any() or same.all():
        raise PhotoError("too few of the pairs' photos can be used")
    genuine, impostor = scores[same], scores[~same]
    curve = metrics.roc(genuine, impostor)
    error, error_at = curve.equal_error()
    accuracy, accuracy_at = metrics.best_accuracy(genuine, impostor)
    threshold = photos.analyser.embedder.threshold
    at_far = metrics.threshold_at(impostor, far, genuine)
    right = int((genuine >= threshold).sum() + (impostor < threshold).sum())
    figures = {
        "pairs": len(pairs),
        "unusable": len(pairs) - len(usable),
        "right_at_threshold": right,
        "accuracy_at_threshold": right / len(pairs),
        "best_accuracy": accuracy,
        "best_threshold": accuracy_at,
        "eer": error,
        "eer_threshold": error_at,
        "threshold_at_far": at_far,
        "true_accept_at_far": float((genuine >= at_far).mean()),
        "same_mean": float(genuine.mean()),
        "same_least": float(genuine.min()),
        "different_mean": float(impostor.mean()),
        "different_most": float(impostor.max()),
    }
    return figures, {"genuine": genuine, "impostor": impostor, "roc": curve}
