"""How long a camera must be left alone after an effect: some are deaf to the press that comes at once."""

from __future__ import annotations

import math

_SOON_S = 0.3
"""A press this long after an effect was seen says nothing about deafness any more."""
_STEP_S = 0.04
"""The pause grows by about a frame at a time: more would be waited for after every press."""
_LONGEST_S = 0.25
"""Longer pauses cost more than the presses they save: a lost one costs about as much."""
_DEAF_LOSS = 0.85
"""Share of the presses that a deaf camera does not take; not all, for its deafness varies."""
_SURE = 2.5
"""Logarithm of the odds for deafness at which to wait longer."""
_SHORTER = 0.9
"""A pause that has proved itself is tried a tenth shorter."""
_CHANCE, _CHANCE_RATE = 0.1, 0.1
"""Presses lost by chance before any was seen, and the share of the newest in it: the last ten or so count."""


class Cooldown:
    """Learns the pause from two rival explanations of lost presses: chance, or that they came too soon.

    Chance is the share of the rested presses that get lost; the odds follow those that came soon after an
    effect. Where presses after the pause keep working it is shortened, in case it was too long.
    """

    def __init__(self) -> None:
        self.pause_s = 0.0
        """From the effect in the picture to the next press, at least."""
        self._chance = _CHANCE
        self._odds = 0.0

    def ended(self, after_s: float, worked: bool) -> None:
        """A press ``after_s`` seconds after the last effect was seen took effect, or was lost."""
        if after_s > _SOON_S:
            self._chance += _CHANCE_RATE * ((not worked) - self._chance)
            return
        chance = min(max(self._chance, 0.05), 0.5)
        if worked:
            self._odds += math.log((1 - _DEAF_LOSS) / (1 - chance))
            if self._odds < -2 * _SURE:
                self._odds = -_SURE
                self.pause_s *= _SHORTER
        else:
            self._odds += math.log(_DEAF_LOSS / chance)
            if self._odds > _SURE:
                self._odds = 0.0
                self.pause_s = min(max(self.pause_s, after_s) + _STEP_S, _LONGEST_S)
