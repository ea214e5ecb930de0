"""Whether the camera draws boxes with sharp corners: it draws all of them alike, so not every frame need tell."""

from __future__ import annotations

from collections.abc import Sequence

from .outline import Outline

__all__ = ["CornerStyle"]


class CornerStyle:
    """Learns from the boxes found that rounded corners need no search of their own, which costs half as much again."""

    def __init__(self) -> None:
        self._sharp = 0
        self._frames = 0

    def search_rounded(self) -> bool:
        """Whether rounded corners are worth looking for in the next frame."""
        return self._sharp < _SURE or self._frames % _AGAIN == 0

    def learn(self, outlines: Sequence[Outline], scale: float) -> None:
        """``outlines``: the boxes of one frame; ``scale``: its height over 1080. One rounded box starts anew."""
        self._frames += 1
        if any(outline.radius > 0 for outline in outlines):
            self._sharp = 0
        elif any(tells_sharp(outline, scale) for outline in outlines):
            self._sharp += 1


def tells_sharp(outline: Outline, scale: float) -> bool:
    """Whether a box has sharp corners for sure.

    An arc of an eighth of its width must leave the corner by more than the line is thick.
    """
    shorter = min(outline.box.width, outline.box.height)
    return outline.sharp and shorter >= _TELLS[0] * scale + _TELLS[1] * outline.line


_SURE = 30
"""Frames with boxes of sharp corners, a second of them, and none of rounded ones, that tell how the camera draws."""
_AGAIN = 30
"""Frames after which rounded ones are looked for all the same: another camera may be on the cable."""
_TELLS = 20.0, 14.0
"""Pixels, and thicknesses of the line, of the shorter side from which rounded corners are not taken for sharp."""
