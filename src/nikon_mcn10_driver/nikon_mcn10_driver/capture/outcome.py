"""What learning starts from, and what it ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..profile import Profile
from .heartbeats import Beat
from .observed import ObservedStep
from .presses import ButtonPattern
from .reader import Capture
from .runs import Run

Recordings = Mapping[str, Sequence[Capture]]
"""Captures by :data:`.runs.QUIET` and by button (left, right, up, down, fn1, fn2)."""


@dataclass
class Learned:
    """The outcome. ``profile`` None: nothing can be used; ``refusals``: why, or why buttons are missing in it.

    ``notes``: what is uncertain but was not guessed over; the rest is evidence for the report.
    """

    profile: Profile | None = None
    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[ObservedStep] = field(default_factory=list)
    patterns: dict[str, ButtonPattern] = field(default_factory=dict)
    beats: list[Beat] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything that was recorded was learned."""
        return self.profile is not None and not self.refusals
