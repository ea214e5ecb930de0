"""Reading and writing pictures for the command-line tools."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from face_af_common.encodings import ImageError
from face_af_common.files import write_bytes
from face_af_common.image_files import read_image


class FileError(Exception):
    """A picture file that cannot be read or written; the text says which."""


def read(path: str) -> NDArray[np.uint8]:
    """The picture as BGR."""
    try:
        return read_image(Path(path))
    except ImageError as error:
        raise FileError(str(error)) from error


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes by the name's ending; makes the folder. Raises ``OSError``."""
    done, data = cv2.imencode(path.suffix or ".png", picture)
    if not done:
        raise FileError(f"{path}: cannot be written")
    write_bytes(path, data.tobytes())
