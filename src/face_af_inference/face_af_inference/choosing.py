"""Which embedders a name means: one, or several as an ensemble."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .ensembles import MOST_MEMBERS, EnsembleEntry, members
from .manifest import Manifest
from .model_files import ModelSpec
from .runtimes import ModelError

_log = logging.getLogger(__name__)


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
