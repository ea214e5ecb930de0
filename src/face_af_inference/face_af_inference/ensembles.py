"""Several embedders as one in the manifest (``ensembles:``): which belong together, and from which sum on.

``embedder: a+b`` names one. Of an ensemble that the manifest does not describe, each member's own threshold counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common import yaml_files

from .runtimes import ModelError

MOST_MEMBERS = 8


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
    upper: float | None = None
    """The threshold for the upper halves of faces with masks."""
    upper_whole: float = 0.0
    """Share of the whole face's log-odds that is added to those of its upper half."""
    upper_masked: float = 0.0
    """Log-odds that are taken off where the enrolled face wears a mask as well: masks are alike."""
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
        upper = None if entry.upper is None else float(entry.upper)
        upper_whole = float(entry.upper_whole)
        if not 0 <= upper_whole <= 1:
            raise ValueError("upper_whole: 0 to 1")
        upper_masked = float(entry.upper_masked)
        if not upper_masked >= 0:
            raise ValueError("upper_masked: 0 or more")
        return EnsembleEntry(
            name,
            float(entry.threshold),
            float(entry.lead),
            weights,
            upper,
            upper_whole,
            upper_masked,
            str(entry.source),
        )
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{where}: threshold, lead, weights, upper, upper_whole, upper_masked and source are known ({error})"
        ) from error
