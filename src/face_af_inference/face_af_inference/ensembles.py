"""Several embedders as one in the manifest (``ensembles:``): which belong together, and from which sum on.

``embedder: a+b`` names one. Of an ensemble that the manifest does not describe, each member's own threshold counts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from face_af_common import yaml_files

from .runtimes import ModelError

if TYPE_CHECKING:
    from .manifest import Manifest, ModelSpec

_log = logging.getLogger(__name__)

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
    source: str = ""
    """What the numbers were measured on."""

    @property
    def members(self) -> list[str]:
        return members(self.name)


def members(name: str) -> list[str]:
    """The parts of ``a+b``."""
    return [part.strip() for part in name.split("+")]


def choose_embedders(
    manifest: Manifest, name: str, dirs: Sequence[Path]
) -> tuple[list[ModelSpec], EnsembleEntry | None]:
    """The embedders that ``name`` means, and what the manifest says of them together.

    ``auto``: the best one whose file is there, in the first ensemble that has it and whose other files are there, too.
    Raises :class:`ModelError`.
    """
    if name == "auto":
        best = manifest.choose("embedder", name, dirs)
        for entry in manifest.ensembles:
            try:
                specs = [manifest.choose("embedder", member, dirs) for member in entry.members]
            except ModelError as error:
                _log.debug("%s: %s", entry.name, error)
                continue
            if best.name in [spec.name for spec in specs]:
                return specs, entry
        return [best], None
    specs = [manifest.choose("embedder", member, dirs) for member in members(name)]
    if len(specs) > MOST_MEMBERS:
        raise ModelError(f"embedder {name!r}: at most {MOST_MEMBERS} together")
    if len({spec.name for spec in specs}) < len(specs):
        raise ModelError(f"embedder {name!r}: the same model twice")
    return specs, next((found for e in manifest.ensembles if (found := _ordered(e, specs)) is not None), None)


def _ordered(entry: EnsembleEntry, specs: Sequence[ModelSpec]) -> EnsembleEntry | None:
    """An entry with its weights in the order of ``specs``; None where it is about other models."""
    places = [
        next((i for i, part in enumerate(entry.members) if part in (spec.name, spec.group, spec.family)), None)
        for spec in specs
    ]
    found = [place for place in places if place is not None]
    if len(set(found)) < len(specs) or len(specs) != len(entry.members):
        return None
    return replace(entry, weights=tuple(entry.weights[place] for place in found) if entry.weights else ())


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
        return EnsembleEntry(name, float(entry.threshold), float(entry.lead), weights, upper, str(entry.source))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{where}: threshold, lead, weights, upper and source are known ({error})") from error
