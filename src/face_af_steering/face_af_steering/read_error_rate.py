"""How far one frame can be trusted: the share of misread boxes is learned from what takes itself back."""

from __future__ import annotations

_PRIOR_BOXES = 150
"""Before anything was seen: one box in so many is read with a wrong state."""
_WINDOW_BOXES = 40_000
"""Older boxes count half: some minutes with five faces, as light on stage changes."""
_FALSE_MOVES = 2e-5
"""Moves of the belief by misreading alone, for each frame, that may be risked: two in an hour at 30 frames a second
where the estimate is at its limit."""
_FALSE_CHOICES = 1e-3
"""... while nobody is chosen, which lasts some dozens of frames: at most one false belief in ten such times."""
_UNREAD = 0.02
"""Share of the frames in which a box is not read at all."""
_MOST_FRAMES = 4
"""More frames would cost more time after each real move than the misread ones that they still catch."""


class ReadErrorRate:
    """Estimates the share of boxes whose state is read wrongly, and so how many frames must agree."""

    def __init__(self) -> None:
        self._boxes = 0.0
        self._wrong = 0.0
        self._suspect = 0

    @property
    def share(self) -> float:
        """Estimated probability that one box is read with a wrong state in one frame."""
        return (self._wrong + 1.0) / (self._boxes + _PRIOR_BOXES)

    def saw(self, boxes: int) -> None:
        """A frame with so many boxes was read."""
        self._boxes += boxes
        if self._boxes > _WINDOW_BOXES:
            self._boxes *= 0.5
            self._wrong *= 0.5

    def suspect(self, boxes: int) -> None:
        """So many boxes of this frame contradict what is believed."""
        self._suspect += boxes

    def was_true(self) -> None:
        """What contradicted has turned out to be a move."""
        self._suspect = 0

    def was_wrong(self, more: int = 0) -> None:
        """What contradicted, and ``more`` boxes before, has turned out to be misread."""
        self._wrong += self._suspect + more
        self._suspect = 0

    def frames_needed(self, boxes: int, both: bool) -> int:
        """In how many frames a move must be read, so that hardly ever misreadings alone look like one.

        ``boxes``: how many there are; ``both``: it is read from two boxes, the one that was left and the new one.
        """
        one = self.share**2 if both else self.share
        return _frames(max(boxes - 1, 1) * (1.0 if both else _UNREAD), one, _FALSE_MOVES)

    def frames_needed_of_nobody(self, boxes: int) -> int:
        """The same where nobody is believed to be chosen: a short time, in which more may be risked."""
        return _frames(max(boxes, 1), self.share, _FALSE_CHOICES)


def _frames(risk: float, one: float, bound: float) -> int:
    """After how many frames ``risk``, times ``one`` for each of them, is within ``bound``."""
    for frames in range(1, _MOST_FRAMES):
        risk *= one
        if risk <= bound:
            return frames
    return _MOST_FRAMES
