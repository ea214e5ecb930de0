"""The overlay node's core on recorded frames."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping
from typing import Any

from face_af_common.images import BGR
from face_af_common.node_params import NODES
from face_af_common.params import build
from face_af_common.types import AfBox

from .single_precision import single, single_box


class Overlay:
    """AF boxes of frames. Finding them needs one image alone, following them every frame in order."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        from face_af_overlay.follow import BoxTracker

        self._params: Any = build(NODES["overlay"], params)
        self._own = threading.local()
        self._follower = BoxTracker()

    def find(self, picture: BGR) -> list[AfBox]:
        """The boxes of an image; for any thread."""
        detector = getattr(self._own, "detector", None)
        if detector is None:
            from face_af_overlay.detector import AfBoxDetector

            detector = self._own.detector = AfBoxDetector()
            detector.params = self._params
        return list(detector.inspect(picture).boxes)

    def __call__(self, stamp_ns: int, found: list[AfBox]) -> list[AfBox]:
        boxes = self._follower.update(found, stamp_ns / 1e9, self._params.follow)
        return [dataclasses.replace(b, box=single_box(b.box), confidence=single(b.confidence)) for b in boxes]
