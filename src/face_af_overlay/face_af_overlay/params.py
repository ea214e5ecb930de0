"""The overlay's parameters. Lengths are pixels of a picture 1080 high; others are scaled to it."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, group, param


@dataclass(frozen=True)
class ShapeParams:
    """What is an AF box by its shape."""

    min_size: float = param(20.0, "A box with a side shorter than this is none", unit="px", low=10.0, high=400.0)
    max_size: float = param(345.0, "A box with a side longer than this is none", unit="px", low=20.0, high=1000.0)
    max_aspect: float = param(1.65, "Largest ratio of a box's longer side to its shorter one", low=1.0, high=4.0)
    max_line: float = param(6.3, "Thickest line that a box may be drawn with", unit="px", low=2.0, high=12.0)
    edge_margin: float = param(
        0.0, "Boxes closer than this to the frame's edge are left out", unit="px", low=0.0, high=200.0
    )
    min_agreement: float = param(
        0.6,
        "Share of the outline that must fit a closed box or four brackets; higher: fewer false boxes, more missed",
        low=0.0,
        high=1.0,
    )
    min_visible: float = param(
        0.2,
        "Share of the outline that must stand out from its background; higher: fewer false boxes, more missed",
        low=0.0,
        high=1.0,
    )
    max_extended: int = param(
        4,
        "How many of the eight ends of a box's sides may run on beyond the corners, as lines of the scene do",
        low=0,
        high=8,
    )


@dataclass(frozen=True)
class ContrastParams:
    """How much a line differs from what is beside it, and how little along it."""

    line: int = param(
        10,
        "Least difference in green or red between a line and what is on both sides of it; lower finds fainter boxes",
        unit="levels",
        low=3,
        high=80,
    )
    uniform: float = param(
        50.0, "Greatest difference in colour between the corners of one box", unit="levels", low=5.0, high=120.0
    )


@dataclass(frozen=True)
class ColourParams:
    """Which colour means what. Hue is OpenCV's (0 to 179), levels and chroma are 0 to 255."""

    gray_min: float = param(85.0, "Darkest gray of a detected box", unit="levels", low=20.0, high=255.0)
    white_min: float = param(
        205.0, "Darkest white of a tracked box; below, it is gray", unit="levels", low=40.0, high=255.0
    )
    neutral_chroma: float = param(
        24.0, "Most colour (chroma) that a gray or white line may have", unit="levels", low=2.0, high=200.0
    )
    green_hue_min: float = param(
        34.0, "Least hue of the green of a box in focus (OpenCV's scale, 0 to 179)", low=0.0, high=179.0
    )
    green_hue_max: float = param(
        90.0, "Greatest hue of the green of a box in focus (OpenCV's scale, 0 to 179)", low=0.0, high=179.0
    )
    green_chroma: float = param(
        26.0, "Least colour (chroma) of the green of a box in focus", unit="levels", low=5.0, high=255.0
    )
    yellow: str = param("none", "What a yellow box means", choices=("none", "detected", "tracked", "active_focus"))
    red: str = param("none", "What a red box means", choices=("none", "detected", "tracked", "active_focus"))

    def check(self) -> None:
        if self.gray_min >= self.white_min:
            raise ParamError(f"colour.gray_min ({self.gray_min}) must be below colour.white_min ({self.white_min})")
        if self.green_hue_min >= self.green_hue_max:
            raise ParamError(
                f"colour.green_hue_min ({self.green_hue_min}) must be below colour.green_hue_max ({self.green_hue_max})"
            )


@dataclass(frozen=True)
class OverlayParams:
    """Everything that decides what is a box and which state it shows."""

    shape: ShapeParams = group(ShapeParams)
    contrast: ContrastParams = group(ContrastParams)
    colour: ColourParams = group(ColourParams)
    min_confidence: float = param(
        0.6, "Boxes below this confidence are left out; higher: fewer false boxes, more missed", low=0.0, high=1.0
    )
    max_corners: int = param(
        300,
        "Most corners of each of the four kinds looked at in one frame, the best first; fewer is faster",
        low=50,
        high=20000,
    )

    def check(self) -> None:
        if self.shape.min_size >= self.shape.max_size:
            raise ParamError(
                f"shape.min_size ({self.shape.min_size}) must be below shape.max_size ({self.shape.max_size})"
            )


@dataclass(frozen=True)
class FollowParams:
    """Boxes from frame to frame."""

    hold: float = param(0.12, "A box that is no longer seen is reported for this long", unit="s", low=0.0, high=2.0)
    confirm: float = param(
        0.05,
        "A box's new state is reported after this long, or at once where it is surer than the old one",
        unit="s",
        low=0.0,
        high=2.0,
    )
    reach: float = param(
        0.6,
        "How far a box may move from frame to frame and still be the same one, as a share of its size",
        low=0.05,
        high=3.0,
    )


@dataclass(frozen=True)
class OverlayNodeParams(OverlayParams):
    """The node's parameters."""

    follow: FollowParams = group(FollowParams)
