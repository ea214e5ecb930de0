"""Several embedders as one in the manifest (``ensembles:``): which belong together, and from which sum on.

``embedder: a+b`` names one. Of an ensemble that the manifest does not describe, each member's own threshold counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common import yaml_files

from .runtimes import ModelError

MOST_MEMBERS = 8


@dataclass(frozen=True)
class UpperEntry:
    """How the upper halves of faces with masks are compared."""

    threshold: float
    """Sum of log-odds from which on two faces are taken for one person's."""
    whole: float = 0.0
    """How much the whole faces' log-odds count beside those of the upper halves."""
    masked: float = 0.0
    """Log-odds that are taken off where the enrolled face wears a mask as well: masks are alike."""
    margin: float | None = None
    """Lead over the second best person that a name needs, as a similarity; None: as for a single model."""
    unmasking: bool = False
    """Whether whole faces count as they are guessed to be without the mask, not as they are."""


@dataclass(frozen=True)
class EnsembleEntry:
    """Embedders that were measured together; ``name``: their names, groups or families, joined by ``+``."""

    name: str
    threshold: float
    """Sum of the members' log-odds from which on two faces are taken for one person's."""
    lead: float = 0.0
    """Share of the lead over the second best person that is added."""
    weights: tuple[float, ...] = ()
    """How much each member's log-odds count; empty: all of them fully."""
    upper: UpperEntry | None = None
    """None where nobody has measured upper halves of all members together."""
    source: str = ""
    """What the numbers were measured on."""

    @property
    def members(self) -> list[str]:
        return members(self.name)


def members(name: str) -> list[str]:
    """The parts of ``a+b``."""
    return [part.strip() for part in name.split("+")]


def read_yaml(path: Path) -> dict[str, Any]:
    """A manifest file's content. Raises :class:`ModelError`."""
    try:
        data = yaml_files.load(path)
    except yaml_files.YamlError as error:
        raise ModelError(str(error)) from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: `models:` with one entry a model is needed at the top level")
    return data


def read_ensembles(path: Path) -> tuple[EnsembleEntry, ...]:
    """The ensembles of one manifest file, in order. Raises :class:`ModelError`."""
    data = read_yaml(path).get("ensembles") or {}
    if not isinstance(data, dict):
        raise ModelError(f"{path}: ensembles: names and values are needed below it")
    return tuple(_entry(str(name), fields, path) for name, fields in data.items())


def _entry(name: str, fields: Any, path: Path) -> EnsembleEntry:
    where = f"{path}: ensembles: {name}"
    if not 2 <= len(members(name)) <= MOST_MEMBERS or not all(members(name)):
        raise ModelError(f"{where}: 2 to {MOST_MEMBERS} embedders joined by + are needed")
    try:
        entry = EnsembleEntry(name, **fields)
        weights = tuple(float(weight) for weight in entry.weights)
        if weights and (len(weights) != len(members(name)) or min(weights) <= 0):
            raise ValueError("weights: one above 0 for each member")
        return EnsembleEntry(
            name, float(entry.threshold), float(entry.lead), weights, _upper(entry.upper), str(entry.source)
        )
    except (TypeError, ValueError) as error:
        known = "threshold, lead, weights, source and upper (threshold, whole, masked, margin, unmasking)"
        raise ModelError(f"{where}: {known} are known ({error})") from error


def _upper(fields: Any) -> UpperEntry | None:
    """Raises ``TypeError`` and ``ValueError``."""
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise ValueError("upper: names and values are needed below it")
    entry = UpperEntry(**fields)
    numbers = {name: float(getattr(entry, name)) for name in ("threshold", "whole", "masked")}
    margin = None if entry.margin is None else float(entry.margin)
    if not math.isfinite(numbers["threshold"]):
        raise ValueError("upper: threshold is no number")
    if not all(0 <= number < math.inf for number in (numbers["whole"], numbers["masked"], margin or 0.0)):
        raise ValueError("upper: whole, masked and margin are 0 or more")
    if not isinstance(entry.unmasking, bool) or (entry.unmasking and not numbers["whole"]):
        raise ValueError("upper: unmasking is true or false, and needs a whole above 0")
    return UpperEntry(**numbers, margin=margin, unmasking=entry.unmasking)
