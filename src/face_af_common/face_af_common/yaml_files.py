"""The one loader for YAML: bounded in size, without aliases, and every fault is one line that says where.

Aliases are refused because a few hundred bytes of them can mean gigabytes; a key that stands twice is refused because
YAML's own rule, the last one wins, loses what the user wrote first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from . import files

MAX_BYTES = 1_000_000
"""The largest file that is read; the longest of the project's own has a hundredth of that."""


_INTEGER = "tag:yaml.org,2002:int"
_DIGITS = 70
"""Of an integer of 64 bits, written in binary."""


class YamlError(ValueError):
    """YAML that cannot be read; one line with file, line and reason."""


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._keys: dict[int, str] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
                keys.add(key.value)
        self._keys.update({id(value): str(key.value) for key, value in node.value})
        return super().construct_mapping(node, deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Says of a value that is none (a 30th of February, ``!!int foo``, 400 digits) which one it is."""
        try:
            if isinstance(node, yaml.ScalarNode) and node.tag == _INTEGER and len(node.value) > _DIGITS:
                raise ValueError(f"a number of {len(node.value)} characters")
            return super().construct_object(node, deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # PyYAML lets through whatever the types' constructors raise
            key = self._keys.get(id(node), "")
            problem = f"{key}: {str(node.value)[:40]!r} cannot be read as {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, problem.lstrip(": "), node.start_mark) from error


def read_text(path: Path, limit: int = MAX_BYTES) -> str:
    """The text of a regular file. Raises :class:`YamlError` where it cannot be read, is too large or not UTF-8."""
    try:
        return files.read_bytes(path, limit).decode("utf-8")
    except files.FileError as error:
        raise YamlError(str(error)) from error
    except UnicodeDecodeError as error:
        raise YamlError(f"{files.shown(path)}: cannot be read ({error})") from error


def load(path: str | Path) -> Any:
    """What a file holds: dictionaries, lists and values; None for an empty one. Raises :class:`YamlError`."""
    return parse(read_text(Path(path)), str(path))


def parse(text: str, source: str) -> Any:
    """The same for text; ``source`` is what errors call it."""
    return _guarded(yaml.load, text, source)


def compose(text: str, source: str) -> yaml.Node | None:
    """The tree of nodes, which know their lines, instead of values. Raises :class:`YamlError`."""
    node: yaml.Node | None = _guarded(yaml.compose, text, source)
    return node


def _guarded(read: Any, text: str, source: str) -> Any:
    try:
        return read(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
        raise YamlError(f"{source}{where}: broken YAML ({reason})") from error
    except RecursionError:
        raise YamlError(f"{source}: nested too deeply") from None
