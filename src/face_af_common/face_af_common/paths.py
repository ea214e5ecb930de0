"""Where things that come with the project lie: configuration, models, the user's data."""

from __future__ import annotations

import os
from pathlib import Path


def share_dir() -> Path:
    """Folder with ``config``, ``launch`` and ``models``: the bringup package's share, else the source tree's root."""
    try:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

        try:
            return Path(get_package_share_directory("face_af"))
        except PackageNotFoundError:
            pass
    except ImportError:
        pass
    return Path(__file__).resolve().parents[3]


def model_dirs(parameter: str = "") -> list[Path]:
    """Folders to look for model files in, best first: the parameter, ``FACE_AF_MODEL_DIR``, ``models/``."""
    named = [parameter, os.environ.get("FACE_AF_MODEL_DIR", "")]
    return [Path(name).expanduser() for name in named if name] + [share_dir() / "models"]


def gallery_dir(parameter: str = "") -> Path:
    """Folder of the gallery: the parameter or option where it is given, else ``gallery`` in :func:`data_dir`."""
    return Path(parameter).expanduser() if parameter else data_dir() / "gallery"


def data_dir() -> Path:
    """Where galleries, engines and the like are kept: ``FACE_AF_DATA_DIR``, else ``~/.local/share/face_af``."""
    named = os.environ.get("FACE_AF_DATA_DIR", "")
    base = os.environ.get("XDG_DATA_HOME", "") or "~/.local/share"
    return Path(named or Path(base) / "face_af").expanduser()
