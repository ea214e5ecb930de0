"""The model manifest (``models/models.yaml``): what there is to choose from, and which file serves.

Anything that fits the manifest's terms is added there, or in a manifest of the user's own, without code.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from face_af_common.files import regular, told

from .ensembles import EnsembleEntry, read_ensembles, read_yaml
from .runtimes import ModelError

_log = logging.getLogger(__name__)

KINDS = ("detector", "embedder", "person", "voice_activity", "voice_embedder")
FAMILIES = {
    "detector": ("scrfd", "centerface", "mtcnn", "ssd", "haar", "hog"),
    "embedder": ("arcface", "dlib", "facenet"),
    "person": ("yolox",),
    "voice_activity": ("silero",),
    "voice_embedder": ("ge2e",),
}


@dataclass(frozen=True)
class Source:
    """Where a file can be downloaded: ``url``, or the file ``member`` inside the ZIP archive at ``url``."""

    url: str
    member: str = ""


@dataclass(frozen=True)
class ModelEntry:
    """One model as the manifest describes it; :class:`ModelSpec` is the same with its file found."""

    name: str
    kind: str
    """One of :data:`KINDS`."""
    family: str
    """Which code decodes it, see :data:`FAMILIES`."""
    file: str
    """File name inside a model folder, or path inside ``package``; absolute paths are taken as they are."""
    group: str = ""
    """A second name that several entries share, best first (``scrfd``, ``mobilefacenet``)."""
    package: str = ""
    """The Python package that brings the file."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further files that it needs, by role."""
    sha256: str = ""
    """Empty: not checked."""
    source: Source | None = None
    licence: str = ""
    size: tuple[int, int] | None = None
    """Width and height of the input; None: any (detectors: multiples of 32)."""
    color: str = "rgb"
    mean: float = 0.0
    std: float = 1.0
    """A pixel p enters the network as ``(p - mean) / std``."""
    landmarks: int = 0
    """Landmarks that a detector gives: 5, or 0."""
    score: float = 0.5
    """A detector's default score threshold, 0 to 1."""
    nms: float = 0.4
    """A detector's default overlap (IoU) above which the weaker of two boxes is dropped."""
    alignment: str = ""
    """How faces are cut for an embedder: ``arcface`` (five-point template) or ``dlib``."""
    embedding_size: int = 0
    metric: str = "cosine"
    """``cosine`` (similarity, higher = more alike) or ``euclidean`` (distance, lower = more alike)."""
    threshold: float = 0.0
    """In the metric's own terms: two faces on the alike side of it are taken for one person's."""
    calibration: tuple[float, float] | None = None
    """Slope and offset: log-odds of "same person" = slope x similarity + offset, as ``evaluate --calibrate`` fits them;
    the similarity is ``1 - d^2 / 2`` with the Euclidean distance d."""
    upper: tuple[float, float, float, float] | None = None
    """For faces with masks, compared by their upper halves: threshold, strangers' mean, slope and offset of the
    similarity ``1 - d^2 / 2``; None: masked faces are not named."""
    edit: tuple[str, ...] = ()
    """Changes to the graph before use: ``dynamic_size``, ``dynamic_batch``."""


@dataclass(frozen=True)
class ModelSpec(ModelEntry):
    """A model whose files were found and whose checksum is right."""

    path: Path = Path()
    files: Mapping[str, Path] = field(default_factory=dict)
    """The extra files, by role."""
    digest: str = ""
    """The SHA-256 of the file as it is, also where the manifest gives none."""

    @property
    def model_id(self) -> str:
        """Tells embeddings of one model from those of another: name and the digest's beginning."""
        return f"{self.name}:{self.digest[:12]}"

    def network(self) -> Path | bytes:
        """What :func:`~.runtimes.open_runner` takes: the file, or its bytes with the graph changed or made.

        Raises ``ModelError`` where the file is not what the entry says.
        """
        if self.family == "dlib":
            from . import dlib_graph

            try:
                return dlib_graph.convert(self.path)
            except (OSError, dlib_graph.DlibFileError) as error:
                raise ModelError(f"{self.path}: {error}") from error
        if self.family == "facenet":
            from . import tensorflow_graph

            try:
                return tensorflow_graph.convert(self.path)
            except (OSError, tensorflow_graph.TensorFlowFileError) as error:
                raise ModelError(f"{self.path}: {error}") from error
        if self.family == "ge2e":
            from . import ge2e_graph, torch_file

            try:
                return ge2e_graph.convert(self.path)
            except (OSError, torch_file.TorchFileError) as error:
                raise ModelError(f"{self.path}: {error}") from error
        if not self.edit:
            return self.path
        from .runtimes import graph

        return graph.edited(self.path, self.edit)


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


def find(entry: ModelEntry, dirs: Sequence[Path]) -> ModelSpec | None:
    """The entry with its files found, or None; :class:`ModelError` where no file of that name has the right checksum.

    A file is also found one folder further down, where an unpacked archive leaves it.
    """
    wrong = ""
    for root in _roots(entry, dirs):
        path = root / entry.file
        files = {role: root / name for role, name in entry.extra.items()}
        if not path.is_file() or not all(file.is_file() for file in files.values()):
            continue
        digest = sha256(path)
        if entry.sha256 and digest != entry.sha256:
            wrong = wrong or (
                f"{path}: wrong checksum for {entry.name} (SHA-256 {digest[:12]}…, the manifest says "
                f"{entry.sha256[:12]}…); download it again, or describe this file in a manifest of your own"
            )
            continue
        described = {name: getattr(entry, name) for name in ModelEntry.__dataclass_fields__}
        return ModelSpec(**described, path=path, files=files, digest=digest)
    if wrong:
        raise ModelError(wrong)
    return None


def _roots(entry: ModelEntry, dirs: Sequence[Path]) -> list[Path]:
    """The folders that the entry's file may lie in, best first."""
    if Path(entry.file).is_absolute():
        return [Path("/")]
    if entry.package:
        found = _package_dir(entry.package)
        return [found] if found is not None else []
    return [
        root for folder in dirs for root in (folder, *(path.parent for path in sorted(folder.glob(f"*/{entry.file}"))))
    ]


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal; :class:`ModelError` where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with regular(path).open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise ModelError(told(error)) from error
    return digest.hexdigest()


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


def _package_dir(package: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
