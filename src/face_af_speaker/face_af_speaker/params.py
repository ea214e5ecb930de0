"""Parameters of the speaker node."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import param

from .identification import MARGIN
from .listener import NamingParams


@dataclass(frozen=True)
class SpeakerNodeParams:
    source: str = param(
        "default",
        "an ALSA device (list_devices shows them), or a recording or video, which is heard at its own pace",
        read_only=True,
    )
    channel: int = param(
        0, "which channel is listened to, from 1; 0: all of them, mixed", low=0, high=32, read_only=True
    )
    loop: bool = param(False, "begin a file again at its end", read_only=True)
    gallery: str = param("", "the gallery's folder; empty: the faces' own", read_only=True)
    embedder: str = param("auto", "a voice_embedder of the model manifest, or auto", read_only=True)
    model_dir: str = param("", "folder with weights, before FACE_AF_MODEL_DIR", read_only=True)
    manifest: str = param("", "a model manifest of your own", read_only=True)
    threshold: float = param(
        0.0, "likeness from which on a voice is named; 0: the model's own. Lower names more, strangers too",
        low=0.0, high=1.0,
    )  # fmt: skip
    margin: float = param(MARGIN, "lead over the second best person that a name needs", low=0.0, high=1.0)
    hysteresis: float = param(
        NamingParams.hysteresis, "a name stays down to the threshold less this", low=0.0, high=1.0
    )
    offset: float = param(
        0.0,
        "what the sound is late against the frames, taken off its stamps; the tool measure_offset measures it",
        unit="s",
        low=-5.0,
        high=5.0,
    )
