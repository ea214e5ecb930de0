"""Reading and writing pictures for the command-line tools."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.files import write_bytes


class FileError(Exception):
    """A picture file that cannot be read or written; the text says which."""


def read(path: str) -> NDArray[np.uint8]:
    """The picture as BGR."""
    try:
        data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise FileError(f"{path}: not a picture that OpenCV can read")
    return np.asarray(picture, np.uint8)


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes by the name's ending; makes the folder. Raises ``OSError``."""
    done, data = cv2.imencode(path.suffix or ".png", picture)
    if not done:
        raise FileError(f"{path}: cannot be written")
    write_bytes(path, data.tobytes())
