"""One number for a replay, so that parameters can be ranked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from face_af_common.params import ParamError

QUALITY = "quality"
_PER_MINUTE_COST = {"identity_changes": 0.02, "flicker": 0.005, "focus_changes": 0.002, "presses_while_right": 0.02}
_PRESS_COST = 0.001
_WRONG_NAME_COST = 2.0


def quality(figures: Mapping[str, Any]) -> float:
    """Time on target, less what a viewer or the photographer would notice; 1 is perfect.

    From the share of time on target (by truth where labelled, times the share of the target that was recognised)
    is taken for each minute: 0.001 a press, 0.02 a press while right, 0.02 a changed identity, 0.005 a name that came
    or went, 0.002 a loss or gain of the target; and twice the share of frames with a wrong name.
    """
    minutes = max(figures["seconds"], 1.0) / 60
    share = figures.get("on_target_truth")
    if share is None:
        share = (figures["on_target"] or 0.0) * (figures["target_seen"] or 0.0)
    cost = _PRESS_COST * figures["presses"] / minutes
    cost += sum(price * figures[name] / minutes for name, price in _PER_MINUTE_COST.items())
    cost += _WRONG_NAME_COST * figures.get("wrong_identity", 0) / max(figures["frames"], 1)
    return round(float(share) - float(cost), 6)


def objective(figures: Mapping[str, Any], by: str) -> float:
    """``by``: ``quality``, a figure's name (more is better) or ``-name`` (less is better). ``ParamError``."""
    if by == QUALITY:
        return quality(figures)
    name = by.removeprefix("-")
    value = figures.get(name)
    if name not in figures:
        raise ParamError(f"--by {by}: there is no such figure; there are {QUALITY}, {', '.join(figures)}")
    if value is None:
        return float("-inf")
    return -float(value) if by.startswith("-") else float(value)
