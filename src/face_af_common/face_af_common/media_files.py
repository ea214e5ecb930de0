"""Video and sound files, opened with PyAV."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def opened(path: Path) -> Any:
    """The file's container. Titles and comments that are no UTF-8 do not matter. Raises what ``av.open`` raises.

    The name is taken for a file's, never for a protocol or a pattern.
    """
    import av

    try:
        return av.open(f"file:{path}", metadata_errors="ignore")
    except TypeError:  # PyAV 19 decodes them by itself
        return av.open(f"file:{path}")
