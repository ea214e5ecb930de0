"""Recipes: who the target is, and when. One YAML file each; errors name line and key.

    description: The singer; when she is away, whoever of the band is in sight.
    hold_s: 2.0                       # how long a better choice must last before the focus moves on
    groups:
      band: [ben, carla, dave]
    target: [anna, band]              # the first in sight wins
    timeline:                         # instead of target: what applies when, counted from the start
      - 0:00-2:30 anna
      - then: [ben, band]

A choice is a person's name, a group, ``largest known`` (the largest face with a name), ``speaking`` (whoever of the
known people is heard and in sight; nobody is guessed) or ``none``.
"""

from __future__ import annotations

import contextlib
import functools
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from face_af_common import yaml_files
from face_af_common.names import short
from face_af_common.patience import ImpatientError, Patience
from face_af_common.types import Face

LARGEST = "largest known"
NONE = "none"
SPEAKING = "speaking"
_WORDS = (LARGEST, NONE, SPEAKING)
_KEYS = ("description", "groups", "hold_s", "target", "timeline")
MAX_BYTES = 32_000
"""Of a recipe: so much is read in a tenth of a second, and has room for hundreds of entries."""
_PATH = 1_000
"""Characters of a name that are looked for on the disk: more than any real path has, and a longer one is an error
anyway."""
_READING: Patience[tuple[Path, str]] = Patience(0.5)
"""Seconds until a disk that does not answer is given up: the node that reads steers no frame meanwhile."""
_CLOCK_BACK_S = 1.0
"""Seconds by which time must go back to be a new start (a replay that loops), and not a frame out of order."""
_LONGEST_HOLD_S = 600.0
"""Ten minutes: a longer one is a slip of the pen, since the recipe would hardly ever change the target."""
_SPAN = re.compile(r"^\s*(?:(then)|(\d+:\d\d(?::\d\d)?)\s*-\s*(\d+:\d\d(?::\d\d)?)?)\s+(\S.*?)\s*$")


class RecipeError(ValueError):
    """A recipe cannot be read or makes no sense; the text names file, line and key."""


@dataclass(frozen=True)
class Part:
    """What applies from ``start`` to ``end`` seconds after the recipe's start: choices, best first."""

    start: float
    end: float
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """A checked recipe."""

    name: str
    parts: tuple[Part, ...]
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hold_s: float = 2.0
    """Seconds that a better choice must be in sight before the focus moves on: longer than somebody is hidden who
    walks past another person, shorter than an audience waits."""
    description: str = ""

    @property
    def people(self) -> list[str]:
        """Every person that the recipe names, in order."""
        names: dict[str, None] = {}
        for part in self.parts:
            for choice in part.choices:
                if choice not in _WORDS:
                    names.update(dict.fromkeys(self.groups.get(choice, (choice,))))
        return list(names)

    def choices_at(self, seconds: float) -> tuple[str, ...]:
        """The choices that apply ``seconds`` after the start; empty = nobody."""
        for part in self.parts:
            if part.start <= seconds < part.end:
                return part.choices
        return ()


class RecipeRunner:
    """Follows one recipe through time: who is the target now?

    ``start``: when its time line began, seconds; None = with the first frame.
    """

    def __init__(self, recipe: Recipe, start: float | None = None) -> None:
        self.recipe = recipe
        self.start = start
        self._last = start or 0.0
        self._choices: tuple[str, ...] = ()
        self._current = ""
        self._better = ""
        self._better_since = 0.0

    def target(self, now: float, faces: Sequence[Face], speaking: str = "") -> str:
        """The target's name for this frame, empty for nobody. ``now`` in seconds; a clock that jumps back starts anew.
        ``speaking``: who is heard, empty for nobody who is known.

        The target of before is kept for ``hold_s`` after it went out of sight, and so long must a person who
        ranks higher be in sight to take over.
        """
        if self.start is None or now < self._last - _CLOCK_BACK_S:
            self.start, self._current, self._better = now, "", ""
        self._last = now
        choices = self.recipe.choices_at(now - self.start)
        changed = choices != self._choices
        self._choices = choices
        wanted = self._wanted(choices, faces, speaking)
        if changed or not self._current or not self._allowed(choices):
            # a new part of the time line applies at once
            self._current, self._better = wanted, ""
            return self._current
        if wanted in ("", self._current):
            self._better = ""
        elif wanted != self._better:
            self._better, self._better_since = wanted, now
        elif now - self._better_since >= self.recipe.hold_s:
            self._current, self._better = wanted, ""
        return self._current

    def next_step(self, now: float) -> str:
        """What the time line does next: when, counted from its start, and with whom; empty = nothing."""
        if self.start is None:
            return ""
        start = self.start
        part = next((p for p in self.recipe.parts if p.start > now - start), None)
        if part is None:
            return ""
        return f"{int(part.start) // 60}:{int(part.start) % 60:02d} {', '.join(part.choices)}"

    def _wanted(self, choices: Sequence[str], faces: Sequence[Face], speaking: str) -> str:
        areas: dict[str, float] = {}
        for face in faces:
            if face.identity:
                areas[face.identity] = max(areas.get(face.identity, 0.0), face.box.area)
        for choice in choices:
            if choice == NONE:
                return ""
            members: Sequence[str] = self.recipe.groups.get(choice, (choice,))
            if choice == LARGEST:
                members = list(areas)
            elif choice == SPEAKING:
                members = [speaking]
            present = [name for name in members if name in areas]
            if self._current in present:
                return self._current
            if present:
                return max(present, key=lambda name: areas[name])
        return ""

    def _allowed(self, choices: Sequence[str]) -> bool:
        if LARGEST in choices or SPEAKING in choices:
            return True
        return any(self._current in self.recipe.groups.get(choice, (choice,)) for choice in choices)


def find(name: str, folder: Path) -> Path:
    """The file of a recipe: a path, or a name in ``folder``; :class:`RecipeError` lists what there is."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name[:_PATH]).expanduser()
        try:
            if path.is_file():
                return path
        except (OSError, ValueError) as error:  # a name that no file can have
            raise RecipeError(f"there is no recipe file {short(name)}") from error
        raise RecipeError(f"there is no recipe file {short(name)}")
    path = folder / f"{name[:_PATH]}.yaml"
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            return path
    known = sorted(p.stem for p in folder.glob("*.yaml")) if folder.is_dir() else []
    raise RecipeError(f"there is no recipe {short(name)} in {folder}; there are: {', '.join(known) or 'none'}")


def read(name: str, folder: Path) -> Recipe:
    """A recipe by name or path (see :func:`find`). Nobody waits for a disk that does not answer."""

    def text() -> tuple[Path, str]:
        path = find(name, folder)
        return path, _text(path)

    try:
        path, found = _READING(text)
    except ImpatientError:
        raise RecipeError(f"{short(name)}: the disk does not answer within {_READING.seconds:g} s") from None
    return parse(found, path.stem, str(path))


def load(path: Path) -> Recipe:
    """Reads and checks a recipe: a regular file of at most :data:`MAX_BYTES`."""
    return parse(_text(path), path.stem, str(path))


def _text(path: Path) -> str:
    try:
        return yaml_files.read_text(path, MAX_BYTES)
    except yaml_files.YamlError as error:
        raise RecipeError(str(error)) from error


@functools.lru_cache(maxsize=4)
def parse(text: str, name: str, source: str = "recipe") -> Recipe:
    """A recipe from YAML text; ``source`` is what errors call it."""
    try:
        # names are compared with those of faces, which are in this form
        root = yaml_files.compose(unicodedata.normalize("NFC", text), source)
    except yaml_files.YamlError as error:
        raise RecipeError(str(error)) from error
    return _Reader(source).recipe(root, name)


class _Reader:
    """Walks YAML nodes rather than values, because they know their lines."""

    def __init__(self, source: str) -> None:
        self._source = source

    def fail(self, node: Any, text: str) -> RecipeError:
        line = f", line {node.start_mark.line + 1}" if node is not None else ""
        return RecipeError(f"{self._source}{line}: {text}")

    def recipe(self, root: Any, name: str) -> Recipe:
        if not isinstance(root, yaml.MappingNode):
            raise self.fail(root, f"keys are needed: {', '.join(_KEYS)}")
        entries = self.mapping(root, "", _KEYS)
        if ("target" in entries) == ("timeline" in entries):
            raise self.fail(root, "either target or timeline is needed")
        groups: dict[str, tuple[str, ...]] = {}
        if "groups" in entries:
            for key, node in self.mapping(entries["groups"], "groups").items():
                if key in _WORDS:
                    raise self.fail(node, f"groups.{key}: this word has a meaning of its own")
                groups[key] = self.names(node, f"groups.{key}")
        hold_s = self.number(entries["hold_s"], "hold_s") if "hold_s" in entries else Recipe.hold_s
        if "target" in entries:
            parts = [Part(0.0, math.inf, self.names(entries["target"], "target"))]
        else:
            parts = self.timeline(entries["timeline"])
        description = self.text(entries["description"], "description") if "description" in entries else ""
        return Recipe(name, tuple(parts), groups, hold_s, description)

    def mapping(self, node: Any, where: str, known: Sequence[str] = ()) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(node, f"{where}: names with values below are needed")
        result: dict[str, Any] = {}
        for key_node, value in node.value:
            key = self.text(key_node, where or "key")
            if known and key not in known:
                raise self.fail(key_node, f"there is no key {key}; there are: {', '.join(known)}")
            if key in result:
                raise self.fail(key_node, f"{key} is there twice")
            result[key] = value
        return result

    def text(self, node: Any, where: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.fail(node, f"{where}: a text is needed")
        return str(node.value).strip()

    def number(self, node: Any, where: str) -> float:
        try:
            value = float(self.text(node, where))
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= _LONGEST_HOLD_S:
            raise self.fail(node, f"{where}: a number from 0 to {_LONGEST_HOLD_S:g} is needed, got {node.value}")
        return value

    def names(self, node: Any, where: str) -> tuple[str, ...]:
        if isinstance(node, yaml.SequenceNode):
            if not node.value:
                raise self.fail(node, f"{where}: at least one name is needed")
            return tuple(_word(self.text(item, where)) for item in node.value)
        return (_word(self.text(node, where)),)

    def timeline(self, node: Any) -> list[Part]:
        items: list[tuple[Any, str, Any]] = []
        if isinstance(node, yaml.ScalarNode):
            pieces = re.split(r",\s*(?=then\b|\d+:\d)", self.text(node, "timeline"))
            items.extend((node, piece, None) for piece in pieces)
        elif isinstance(node, yaml.SequenceNode) and node.value:
            for item in node.value:
                if isinstance(item, yaml.MappingNode) and len(item.value) == 1:
                    key, value = item.value[0]
                    items.append((item, self.text(key, "timeline"), value))
                else:
                    items.append((item, self.text(item, "timeline"), None))
        else:
            raise self.fail(node, "timeline: entries like 0:00-2:30 anna are needed")
        parts: list[Part] = []
        for item, text, choices in items:
            match = _SPAN.match(text if choices is None else f"{text} -")
            if match is None:
                raise self.fail(item, f"timeline: {text!r} is not like 0:00-2:30 anna, or then anna")
            start = parts[-1].end if parts else 0.0
            if match[1] is None:
                start = _seconds(match[2])
            end = _seconds(match[3]) if match[3] else math.inf
            if parts and start < parts[-1].end:
                raise self.fail(item, f"timeline: {text!r} begins before the entry above it ends")
            if math.isinf(start):
                raise self.fail(item, f"timeline: {text!r} never comes, the entry above it has no end")
            if end <= start:
                raise self.fail(item, f"timeline: {text!r} ends before it begins")
            chosen = (_word(match[4]),) if choices is None else self.names(choices, "timeline")
            parts.append(Part(start, end, chosen))
        return parts


def _word(text: str) -> str:
    plain = text.replace("_", " ").lower()
    return plain if plain in _WORDS else text


def _seconds(text: str) -> float:
    seconds = 0
    for piece in text.split(":"):
        seconds = seconds * 60 + int(piece)
    return float(seconds)
