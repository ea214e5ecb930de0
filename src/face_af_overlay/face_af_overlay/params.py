"""The overlay's parameters. Lengths are pixels of a picture 1080 high; others are scaled to it."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, group, param


@dataclass(frozen=True)
class ShapeParams:
    """What is an AF box by its shape."""

    min_size: float = param(20.0, "Shortest side of a box", unit="px", low=10.0, high=400.0)
    max_size: float = param(345.0, "Longest side of a box", unit="px", low=20.0, high=1000.0)
    max_aspect: float = param(1.65, "Longer side over shorter side, at most", low=1.0, high=4.0)
    max_line: float = param(6.3, "Thickest line of an outline", unit="px", low=2.0, high=12.0)
    edge_margin: float = param(
        0.0, "Boxes closer than this to the picture's edge are left out", unit="px", low=0.0, high=200.0
    )
    min_agreement: float = param(
        0.6, "Share of the outline that must look like a closed box or four brackets", low=0.0, high=1.0
    )
    min_visible: float = param(0.2, "Share of the outline that must stand out from its background", low=0.0, high=1.0)
    max_extended: int = param(4, "Lines that may run on beyond the corners, of eight", low=0, high=8)


@dataclass(frozen=True)
class ContrastParams:
    """How much a line differs from what is beside it, and how little along it."""

    line: int = param(10, "Least difference from both neighbours, any of green and red", unit="levels", low=3, high=80)
    uniform: float = param(
        50.0, "Greatest difference between the corners of one box", unit="levels", low=5.0, high=120.0
    )


@dataclass(frozen=True)
class ColourParams:
    """Which colour means what. Hue is OpenCV's (0 to 179), levels and chroma are 0 to 255."""

    gray_min: float = param(85.0, "Darkest gray of a detected box", unit="levels", low=20.0, high=255.0)
    white_min: float = param(
        205.0, "Darkest white of a tracked box; below, it is gray", unit="levels", low=40.0, high=255.0
    )
    neutral_chroma: float = param(
        24.0, "Most colour that a gray or white line may have", unit="levels", low=2.0, high=200.0
    )
    green_hue_min: float = param(34.0, "Least hue of a box in focus", low=0.0, high=179.0)
    green_hue_max: float = param(90.0, "Greatest hue of a box in focus", low=0.0, high=179.0)
    green_chroma: float = param(26.0, "Least colour of a box in focus", unit="levels", low=5.0, high=255.0)
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
    min_confidence: float = param(0.6, "Boxes below this confidence are left out", low=0.0, high=1.0)
    max_corners: int = param(300, "Corners of each kind looked at in one frame, best first", low=50, high=20000)

    def check(self) -> None:
        if self.shape.min_size >= self.shape.max_size:
            raise ParamError(
                f"shape.min_size ({self.shape.min_size}) must be below shape.max_size ({self.shape.max_size})"
            )


@dataclass(frozen=True)
class FollowParams:
    """Boxes from frame to frame."""

    hold: float = param(0.12, "A box that is not seen is shown for this long", unit="s", low=0.0, high=2.0)
    confirm: float = param(
        0.05,
        "A changed state is shown after this long, unless it is surer than the old one",
        unit="s",
        low=0.0,
        high=2.0,
    )
    reach: float = param(0.6, "A box moves between frames by at most this share of its size", low=0.05, high=3.0)


@dataclass(frozen=True)
class OverlayNodeParams(OverlayParams):
    """The node's parameters."""

    follow: FollowParams = group(FollowParams)
