"""The perception node's parameters."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, changed, group, param
from face_af_inference.runtimes import RUNTIMES

MODEL_PARAMETERS = (
    "model_dir",
    "manifest",
    "detector",
    "embedder",
    "runtime",
    "precision",
    "threads",
    "detector_size",
    "detector_threshold",
)
"""Parameters whose change needs the models to be opened again."""

REPEATABLE_PER_FRAME = 2
"""Embeddings a frame where results must not depend on how long they take."""


@dataclass(frozen=True)
class RecognitionParams:
    enter: float = param(
        0.0, "similarity from which on a face is given a name; 0.0: what suits embedder and gallery", low=0.0, high=1.0
    )
    exit: float = param(
        0.0, "similarity below which it loses its name again; 0.0: a little below enter", low=0.0, high=1.0
    )
    margin: float = param(
        0.04, "how much the best person's similarity must exceed the second best's for a name", low=0.0, high=1.0
    )
    budget_ms: float = param(
        8.0, "time for embeddings on each frame; at least one face is embedded", unit="ms", low=1.0, high=1000.0
    )
    per_frame: int = param(
        0,
        "at most so many faces are embedded on a frame, whatever they cost; 0: by budget_ms "
        f"({REPEATABLE_PER_FRAME} with use_sim_time, so that a replay gives the same result again)",
        low=0,
        high=100,
    )
    refresh_s: float = param(
        1.0,
        "a face whose name is settled is compared with the gallery again after this time",
        unit="s",
        low=0.05,
        high=60.0,
    )
    memory: int = param(
        8, "how many of a face's newest embeddings vote on its name; more is steadier and slower", low=1, high=64
    )
    cohort: bool = param(
        True,
        "a face that resembles somebody seen beside a person more than that person does not get that person's name",
    )
    flip: bool = param(False, "embed each face and its mirror image: steadier names, at twice the cost")


@dataclass(frozen=True)
class TrackerParams:
    keep_s: float = param(
        1.5, "a face that is out of sight keeps its track_id and name for this long", unit="s", low=0.0, high=10.0
    )
    reach: float = param(
        0.8,
        "how far from the place expected of it a face may be in the next frame and still be the same one,"
        " in widths of the face",
        low=0.1,
        high=5.0,
    )


@dataclass(frozen=True)
class PerceptionNodeParams:
    target: str = param("", "name in the gallery of the person to focus on; empty: nobody")
    gallery: str = param("", "folder of the gallery; empty: gallery in the data folder (FACE_AF_DATA_DIR)")
    model_dir: str = param("", "folder to look for model files in first, before FACE_AF_MODEL_DIR and models/")
    manifest: str = param("", "model manifest of your own, its entries before those of models/models.yaml")
    detector: str = param("auto", "entry, group or family of models/models.yaml; auto: the best that is there")
    embedder: str = param(
        "auto", "entry, group or family of models/models.yaml, or several joined by +; auto: the best that is there"
    )
    runtime: str = param("auto", "what runs the networks; auto: the best that works", choices=RUNTIMES)
    precision: str = param(
        "fp16", "numbers that a GPU computes with: fp16 is faster, fp32 more exact", choices=("fp16", "fp32")
    )
    threads: int = param(2, "CPU threads for each network", low=1, high=64)
    detector_size: tuple[int, ...] = param(
        (640, 384), "width and height of the detector's input, raised to multiples of 32", unit="px", low=32, high=4096
    )
    detector_threshold: float = param(
        0.0,
        "least score of a face that is reported; lower: more faces, more that are none; 0.0: the detector's own",
        low=0.0,
        high=1.0,
    )
    recognition: RecognitionParams = group(RecognitionParams)
    tracker: TrackerParams = group(TrackerParams)

    def check(self) -> None:
        recognition = self.recognition
        if recognition.enter and recognition.exit > recognition.enter:
            raise ParamError(
                f"recognition.exit: {recognition.exit} must not be above recognition.enter ({recognition.enter})"
            )

    def repeatable(self) -> PerceptionNodeParams:
        """The same parameters, with which the same frames give the same faces however busy the machine is."""
        if self.recognition.per_frame:
            return self
        return changed(self, {"recognition.per_frame": REPEATABLE_PER_FRAME})
