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
        "an ALSA device (the tool list_devices shows them), or a sound file or video, which plays at its own pace",
        read_only=True,
    )
    channel: int = param(
        0, "channel to listen to, counted from 1; 0: all of them, mixed", low=0, high=32, read_only=True
    )
    loop: bool = param(False, "start a file again when it has ended", read_only=True)
    gallery: str = param("", "folder of the gallery; empty: the one of the faces, in the data folder", read_only=True)
    embedder: str = param(
        "auto", "a voice_embedder of models/models.yaml; auto: the best that is there", read_only=True
    )
    model_dir: str = param(
        "", "folder to look for model files in first, before FACE_AF_MODEL_DIR and models/", read_only=True
    )
    manifest: str = param(
        "", "model manifest of your own, its entries before those of models/models.yaml", read_only=True
    )
    threshold: float = param(
        0.0, "similarity from which on a voice is named; 0: the model's own. Lower names more, strangers too",
        low=0.0, high=1.0,
    )  # fmt: skip
    margin: float = param(
        MARGIN, "how much the best person's similarity must exceed the second best's for a name", low=0.0, high=1.0
    )
    hysteresis: float = param(
        NamingParams.hysteresis,
        "how far below the threshold the similarity may fall before a voice loses its name",
        low=0.0,
        high=1.0,
    )
    offset: float = param(
        0.0,
        "how much later the sound arrives than its frames; its stamps are put back by this (the tool measure_offset)",
        unit="s",
        low=-5.0,
        high=5.0,
    )
