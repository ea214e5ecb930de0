"""Parameters of the debug view."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import param


@dataclass(frozen=True)
class DebugViewParams:
    height: int = param(
        720,
        "rows of the debug image, its bar included; a smaller camera image is not enlarged",
        unit="px",
        low=120,
        high=4320,
    )
    jpeg_quality: int = param(80, "quality of debug/image/compressed", low=10, high=100)
    max_rate: float = param(30.0, "most debug images drawn in a second", unit="Hz", low=0.5, high=120.0)
    patience: float = param(
        0.3,
        "seconds that a frame waits for its faces, boxes and state before it is drawn without them",
        unit="s",
        low=0.02,
        high=2.0,
    )
