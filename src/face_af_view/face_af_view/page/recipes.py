"""Which recipes there are to choose from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from face_af_common.paths import share_dir
from face_af_common.yaml_files import YamlError, load

from .acts import ActError
from .graph import RosGraph

_MOST = 100


async def recipes(graph: RosGraph) -> list[dict[str, str]]:
    """Name and description of each file in steering's recipe folder. Raises :class:`ActError`."""
    named = await graph.parameter("steering", "recipe_dir")
    folder = Path(named).expanduser() if named else share_dir() / "config" / "recipes"
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))[:_MOST]
    except OSError as error:
        raise ActError(f"{folder} cannot be read ({error.strerror})") from error
    return [{"name": path.stem, "description": _description(path)} for path in files]


def _description(path: Path) -> str:
    try:
        content: Any = load(path)
    except YamlError as error:
        return str(error)
    return str(content.get("description", ""))[:300] if isinstance(content, dict) else ""
