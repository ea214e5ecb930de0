"""Built engines on disk: found by everything that they depend on, believed only when whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from face_af_common.files import write_bytes

_MAGIC = b"face_af engine 1\n"
_MAX_HEADER = 1 << 16


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine depends on; another value of any field needs another engine."""

    tensorrt: str
    """TensorRT's full version."""
    gpu: str
    """Name and compute capability."""
    model: str
    """SHA-256 of the ONNX file as it was given to the builder."""
    precision: str
    shapes: str
    """Input with its smallest and largest sizes, such as ``input:1x3x112x112..8x3x112x112``."""

    @property
    def file_name(self) -> str:
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.model[:8]}-{self.precision}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.engine"


class EngineCache:
    """A folder of engines. It never raises: what cannot be read is built again, what cannot be written is said."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.folder = folder
        self._say = say

    def load(self, key: EngineKey) -> bytes | None:
        """The engine for exactly this key, or None. A damaged file is told and will be replaced."""
        path = self.folder / key.file_name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say(f"{path}: cannot be read ({error.strerror}); the engine is built again")
            return None
        engine = _unpacked(data, key)
        if engine is None:
            self._say(f"{path}: damaged or of another version; the engine is built again")
        return engine

    def store(self, key: EngineKey, engine: bytes) -> bool:
        """Writes the engine, whole or not at all; says why where it cannot."""
        path = self.folder / key.file_name
        header = json.dumps({**asdict(key), "sha256": hashlib.sha256(engine).hexdigest()}, sort_keys=True).encode()
        try:
            write_bytes(path, _MAGIC + header + b"\n" + engine)
        except OSError as error:
            self._say(
                f"{self.folder}: engines cannot be kept there ({error.strerror}); this one is built at every start"
            )
            return False
        return True

    def forget(self, key: EngineKey) -> None:
        """Removes an engine that did not load."""
        try:
            (self.folder / key.file_name).unlink(missing_ok=True)
        except OSError:
            pass  # a read-only folder; the next start finds it again and builds again


def _unpacked(data: bytes, key: EngineKey) -> bytes | None:
    if not data.startswith(_MAGIC):
        return None
    end = data.find(b"\n", len(_MAGIC), len(_MAGIC) + _MAX_HEADER)
    if end < 0:
        return None
    try:
        header = json.loads(data[len(_MAGIC) : end])
    except ValueError:
        return None
    engine = data[end + 1 :]
    if header != {**asdict(key), "sha256": hashlib.sha256(engine).hexdigest()}:
        return None
    return engine
