"""Finding a model's files, and what a runtime opens of them."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from face_af_common.files import regular, told

from .model_entry import ModelEntry
from .runtimes import ModelError


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


def _package_dir(package: str) -> Path | None:
    """The folder of an installed package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
