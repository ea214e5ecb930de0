"""Every setting of a crop run, with its range; the YAML file and the presets are made of it.

The names are those of PersonCapture, so that its users find them again. Distances are ``1 - similarity``, on the
scale that the whole project publishes: strangers near 0, the embedder's threshold at 0.42, the same photograph 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common.params import ParamError, build, param


@dataclass(frozen=True)
class CropSettings:
    """See each field's description."""

    # -- pre-scan ----------------------------------------------------------------------------------------------------
    prescan_stride: int = param(
        24,
        "The pre-scan looks at one frame in so many; more is faster and may miss short moments",
        unit="frames",
        low=1,
        high=600,
    )
    prescan_max_width: int = param(
        640, "Width to which a frame is reduced for the pre-scan", unit="pixels", low=160, high=3840
    )
    prescan_fd_enter: float = param(
        0.68, "A span begins where the distance of a face to the person falls to this", low=0.0, high=1.2
    )
    prescan_fd_exit: float = param(0.74, "A span ends where that distance rises to this", low=0.0, high=1.5)
    prescan_exit_sec: float = param(
        0.5, "A span also ends when the person has not been seen for this long", unit="s", low=0.0, high=60.0
    )
    prescan_pad_sec: float = param(2.0, "A span is widened by this on both sides", unit="s", low=0.0, high=60.0)
    prescan_bridge_gap_sec: float = param(1.0, "Shorter gaps between spans are closed", unit="s", low=0.0, high=600.0)
    prescan_min_segment_sec: float = param(
        1.0, "Spans shorter than this, padding included, are left out", unit="s", low=0.0, high=600.0
    )

    # -- bank of references ------------------------------------------------------------------------------------------
    bank_grow: bool = param(True, "Whether the pre-scan adds good faces of the person to the references")
    prescan_fd_add: float = param(
        0.5, "A face may be added up to this distance from the references given by the user", low=0.0, high=1.0
    )
    bank_quality_min: float = param(0.35, "Quality that a face needs to be added", low=0.0, high=1.0)
    bank_gap_sec: float = param(1.0, "Time between two faces that are added", unit="s", low=0.0, high=600.0)
    bank_duplicate: float = param(
        0.968,
        "A face more similar (cosine) than this to a reference that is there already is not added",
        low=0.0,
        high=1.0,
    )
    bank_cap: int = param(64, "Most faces that are added for each person", low=0, high=1000)

    # -- identity ----------------------------------------------------------------------------------------------------
    frame_stride: int = param(
        2,
        "The main pass looks at one frame in so many; more is faster and gives fewer crops",
        unit="frames",
        low=1,
        high=300,
    )
    face_thresh: float = param(
        0.62,
        "A face is the person's up to this distance; higher: more crops, and more of other people",
        low=0.0,
        high=1.2,
    )
    face_margin: float = param(0.05, "How much nearer it must be to the person than to anybody else", low=0.0, high=1.0)
    face_det_conf: float = param(0.5, "Confidence from which on something is a face", low=0.05, high=0.99)
    face_quality_min: float = param(0.06, "Quality below which a face is not cropped", low=0.0, high=1.0)
    doubt_below_quality: float = param(
        0.2, "Faces of lower quality (profiles, blurred ones) resemble one another and are doubted", low=0.0, high=1.0
    )
    doubt: float = param(0.7, "Distance that is added to a face of no quality at all", low=0.0, high=2.0)
    min_face_px: int = param(20, "Height below which a face is not cropped", unit="pixels", low=8, high=2000)
    lock_sec: float = param(
        0.5, "For this long after a sighting a face in the same place may be farther away", unit="s", low=0.0, high=10.0
    )
    lock_fd_slack: float = param(0.06, "How much farther it may be then", low=0.0, high=0.5)
    lock_iou: float = param(0.3, "Overlap (IoU) from which on two faces are in the same place", low=0.0, high=1.0)
    scene_cut: float = param(
        0.12, "Mean change of brightness from one frame to the next that counts as a cut", low=0.01, high=1.0
    )
    allow_back: bool = param(
        False, "Whether the person's body is followed for back_sec without a visible face (person detector needed)"
    )
    back_sec: float = param(3.0, "How long after a sighting the body may be followed", unit="s", low=0.0, high=60.0)

    # -- persons -----------------------------------------------------------------------------------------------------
    min_det_conf: float = param(0.35, "Confidence from which on something is a person", low=0.05, high=0.99)
    min_person_px: int = param(8000, "Area below which a person is ignored", unit="square pixels", low=0, high=10**7)

    # -- framing -----------------------------------------------------------------------------------------------------
    ratios: tuple[str, ...] = param(("2:3", "1:1", "3:2"), "Shapes of a crop, width:height; the best one is taken")
    crop_face_side_margin_frac: float = param(0.30, "Room beside the face, in widths of the face", low=0.0, high=3.0)
    crop_top_headroom_max_frac: float = param(
        0.15, "Room above the face, as a share of the crop's height", low=0.0, high=0.9
    )
    crop_bottom_min_face_heights: float = param(1.5, "Room below the face, in heights of the face", low=0.0, high=10.0)
    crop_penalty_weight: float = param(
        3.0, "How much missing room counts, against how much of the crop is not the person", low=0.0, high=100.0
    )
    face_anchor_down_frac: float = param(
        1.1, "How far the crop's centre lies below the face's, in heights of the face", low=0.0, high=5.0
    )
    face_max_frac_in_crop: float = param(
        0.42, "Largest share of the crop's height that the face may have", low=0.05, high=0.95
    )
    face_min_frac_in_crop: float = param(
        0.18, "Smallest share of the crop's height that the face may have", low=0.0, high=0.9
    )
    crop_min_height_frac: float = param(
        0.28, "Smallest share of the frame's height that a crop may have", low=0.0, high=1.0
    )
    face_det_pad: float = param(
        0.08, "Room around the face that every crop must contain, as a share of the face's size", low=0.0, high=1.0
    )

    # -- near-duplicates ---------------------------------------------------------------------------------------------
    only_best: bool = param(True, "Whether only the best frame of each moment is kept")
    min_gap_sec: float = param(1.5, "Length of a moment", unit="s", low=0.0, high=600.0)
    iou_gate: float = param(
        0.05, "Crops within a moment's length that overlap (IoU) more than this count as one", low=0.0, high=1.0
    )
    duplicate_cosine: float = param(
        0.985, "Faces more similar (cosine) than this count as one, if the images agree as well", low=0.0, high=1.0
    )
    duplicate_bits: int = param(
        6,
        "Images whose perceptual hashes differ in no more of their 64 bits than this agree",
        unit="bits",
        low=0,
        high=64,
    )

    # -- files -------------------------------------------------------------------------------------------------------
    format: str = param("jpg", "File format of the crops", choices=("jpg", "png", "webp"))
    quality: int = param(95, "Quality of JPEG and WebP", low=1, high=100)
    long_side: int = param(
        0, "Crops are resized so that their long side is this; 0: as they are", unit="pixels", low=0, high=8192
    )
    annot: bool = param(True, "Whether annotated frames are written to annot/")
    debug: bool = param(False, "Whether a line for every frame looked at is written to debug/")

    def check(self) -> None:
        """Raises :class:`ParamError` where settings contradict one another."""
        if self.prescan_fd_exit < self.prescan_fd_enter:
            raise ParamError("prescan_fd_exit must be at least prescan_fd_enter: a span cannot end before it begins")
        if self.face_min_frac_in_crop >= self.face_max_frac_in_crop:
            raise ParamError("face_min_frac_in_crop must be below face_max_frac_in_crop")
        if not self.ratios:
            raise ParamError("ratios: at least one is needed, for example 2:3")
        for text in self.ratios:
            ratio(text)


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "balanced": {},
    # a clean set matters more than a complete one
    "strict": {
        "face_thresh": 0.52,
        "face_margin": 0.10,
        "face_quality_min": 0.25,
        "min_face_px": 48,
        "lock_fd_slack": 0.0,
        "prescan_fd_add": 0.42,
        "bank_quality_min": 0.5,
    },
    # everything that may be the person; to be looked through by hand
    "generous": {
        "frame_stride": 1,
        "face_thresh": 0.68,
        "face_margin": 0.02,
        "face_quality_min": 0.0,
        "min_face_px": 14,
        "prescan_stride": 12,
        "prescan_fd_enter": 0.72,
        "prescan_fd_exit": 0.80,
        "min_gap_sec": 0.75,
        "duplicate_cosine": 0.995,
        "duplicate_bits": 2,
        "face_min_frac_in_crop": 0.0,
    },
}


def ratio(text: str) -> tuple[int, int]:
    """``"2:3"`` as (2, 3), reduced. Raises :class:`ParamError` outside 1:10 to 10:1 or where it is none."""
    import math

    parts = text.split(":")
    if len(parts) != 2 or not all(part.strip().isdecimal() and len(part.strip()) <= 4 for part in parts):
        raise ParamError(f"{text!r} is not a ratio; write width:height in whole numbers, for example 2:3")
    width, height = (int(part) for part in parts)
    if not (width and height and 0.1 <= width / height <= 10):
        raise ParamError(f"{text!r}: a ratio between 1:10 and 10:1 is needed")
    shared = math.gcd(width, height)
    return width // shared, height // shared


def make_settings(preset: str = "balanced", changes: Mapping[str, Any] | None = None) -> CropSettings:
    """The settings of ``preset`` (a key of :data:`PRESETS`) with ``changes``. Raises :class:`ParamError`."""
    if preset not in PRESETS:
        raise ParamError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
    return build(CropSettings, {**PRESETS[preset], **(changes or {})})


def read_settings(path: Path) -> dict[str, Any]:
    """The flat ``{name: value}`` of a YAML file. Raises :class:`ParamError` in one line that names the file."""
    from face_af_common.yaml_files import YamlError, load

    try:
        data = load(path)
    except YamlError as error:
        raise ParamError(str(error)) from error
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ParamError(f"{path}: names and values are needed, one a line")
    return data
