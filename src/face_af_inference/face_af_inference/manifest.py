"""The model manifest (``models/models.yaml``): what there is to choose from, and which file serves.

Anything that fits the manifest's terms is added there, or in a manifest of the user's own, without code.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .ensembles import EnsembleEntry, read_ensembles, read_yaml
from .model_entry import FAMILIES, KINDS, ModelEntry, Source
from .model_files import ModelSpec, find
from .runtimes import ModelError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manifest:
    """All entries, best first, and the ensembles of embedders, best first."""

    entries: tuple[ModelEntry, ...]
    ensembles: tuple[EnsembleEntry, ...] = ()

    def names(self, kind: str) -> list[str]:
        """What ``choose`` understands for a kind, ``auto`` first."""
        names = ["auto"]
        for entry in self.entries:
            if entry.kind == kind:
                names += [entry.name, entry.group, entry.family]
        return [name for name in dict.fromkeys(names) if name]

    def entry(self, name: str) -> ModelEntry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ModelError(f"the manifest has no model {name!r}; it has {', '.join(e.name for e in self.entries)}")

    def choose(self, kind: str, name: str, dirs: Sequence[Path]) -> ModelSpec:
        """The best model of a kind whose file is there.

        ``name``: an entry, a group or a family (the best of it that is there), or ``auto`` (the best that is
        there). ``dirs``: folders to look in, best first. A wrong checksum is a :class:`ModelError`; with ``auto``
        the next model is taken and a warning logged.
        """
        if name not in self.names(kind):
            raise ModelError(f"there is no {kind} {name!r} in the manifest; there are {', '.join(self.names(kind))}")
        candidates = [e for e in self.entries if e.kind == kind and name in ("auto", e.name, e.group, e.family)]
        for entry in candidates:
            try:
                spec = find(entry, dirs)
            except ModelError as error:
                if name != "auto":
                    raise
                _log.warning("%s; not used", error)
                continue
            if spec is not None:
                return spec
        looked = ", ".join(str(folder) for folder in dirs)
        files = ", ".join(entry.file if not entry.package else f"the package {entry.package}" for entry in candidates)
        raise ModelError(
            f"no file for the {kind} {name!r}: {files} looked for in {looked}; ./run fetch-models downloads weights"
        )


def load_manifest(path: Path | None = None) -> Manifest:
    """The project's manifest, with the user's own entries (``path``) before it. Raises :class:`ModelError`.

    A relative ``file`` in the user's manifest is looked for beside that manifest first.
    """
    from face_af_common.paths import share_dir

    shipped = share_dir() / "models" / "models.yaml"
    entries, ensembles = read_manifest(shipped), read_ensembles(shipped)
    if path is not None:
        path = Path(path).expanduser()
        own = read_manifest(path)
        names = {entry.name for entry in own}
        entries = own + tuple(entry for entry in entries if entry.name not in names)
        ensembles = read_ensembles(path) + ensembles
    return Manifest(entries, ensembles)


def read_manifest(path: Path) -> tuple[ModelEntry, ...]:
    """The entries of one manifest file, in order. Raises :class:`ModelError`, which names file and entry."""
    data = read_yaml(path)
    if not isinstance(data.get("models"), dict):
        raise ModelError(f"{path}: `models:` with one entry a model is needed at the top level")
    return tuple(_entry(str(name), fields, path) for name, fields in data["models"].items())


def _entry(name: str, fields: Any, path: Path) -> ModelEntry:
    where = f"{path}: {name}"
    if not isinstance(fields, dict):
        raise ModelError(f"{where}: names and values are needed below it")
    given = dict(fields)
    known = set(ModelEntry.__dataclass_fields__) - {"name"}
    unknown = sorted(set(map(str, given)) - known)
    if unknown:
        raise ModelError(f"{where}: unknown key {unknown[0]!r}; there are {', '.join(sorted(known))}")
    for key in ("kind", "family", "file"):
        if not isinstance(given.get(key), str):
            raise ModelError(f"{where}: {key!r} is missing")
    if given["kind"] not in KINDS:
        raise ModelError(f"{where}: kind {given['kind']!r} is none of {', '.join(KINDS)}")
    if given["family"] not in FAMILIES[given["kind"]]:
        known_families = ", ".join(FAMILIES[given["kind"]])
        raise ModelError(f"{where}: family {given['family']!r} is none of {known_families}")
    for key, choices in (("metric", ("cosine", "euclidean")), ("color", ("rgb", "bgr"))):
        if given.get(key, choices[0]) not in choices:
            raise ModelError(f"{where}: {key} {given[key]!r} is none of {', '.join(choices)}")
    try:
        for key in ("mean", "std", "score", "nms", "threshold"):
            if key in given:
                given[key] = float(given[key])
        if given.get("size") is not None:
            width, height = given["size"]
            given["size"] = (int(width), int(height))
        if given.get("source") is not None:
            given["source"] = Source(**given["source"])
        if given.get("calibration") is not None:
            slope, offset = given["calibration"]
            given["calibration"] = (float(slope), float(offset))
        if given.get("upper") is not None:
            threshold, strangers, slope, offset = given["upper"]
            given["upper"] = (float(threshold), float(strangers), float(slope), float(offset))
        given["edit"] = tuple(given.get("edit", ()))
        given["extra"] = {str(role): str(file) for role, file in given.get("extra", {}).items()}
        given["embedding_size"] = int(given.get("embedding_size", 0))
        given["sha256"] = str(given.get("sha256", "")).lower()
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{where}: {error}") from error
    if given.get("std") == 0:
        raise ModelError(f"{where}: std must not be 0")
    for key in ("mean", "std", "score", "nms", "threshold"):
        if not math.isfinite(given.get(key, 0.0)):
            raise ModelError(f"{where}: {key} is no number")
    package = given.get("package", "")
    # of a dotted name the first part would be imported to find the rest
    if package != "" and not (isinstance(package, str) and package.isidentifier()):
        raise ModelError(f"{where}: package {str(package)[:40]!r} must be a plain name, without dots")
    beside = path.parent / given["file"]
    if not given.get("package") and beside.is_file():
        given["file"] = str(beside.resolve())
        given["extra"] = {role: str((path.parent / file).resolve()) for role, file in given["extra"].items()}
    return ModelEntry(name=name, **given)
