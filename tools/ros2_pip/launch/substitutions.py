"""Texts that are known only while the launch runs."""

from __future__ import annotations

import importlib
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ._limits import unsupplied

if TYPE_CHECKING:
    from .launch_context import LaunchContext

__all__ = [
    "Command",
    "EnvironmentVariable",
    "FindExecutable",
    "LaunchConfiguration",
    "PathJoinSubstitution",
    "PythonExpression",
    "SubstitutionFailure",
    "TextSubstitution",
    "ThisLaunchFile",
    "ThisLaunchFileDir",
]

__getattr__ = unsupplied(__name__)


class SubstitutionFailure(Exception):
    """A substitution has no value; the text says which and why."""


class Substitution:
    """A text that is made when the launch reaches it."""

    def perform(self, context: LaunchContext) -> str:
        raise NotImplementedError

    def describe(self) -> str:
        """How ``--show-args`` writes it."""
        return f"{type(self).__name__}()"


SomeSubstitutionsType = str | Substitution | Iterable[str | Substitution]


def normalize(value: SomeSubstitutionsType) -> list[Substitution]:
    """A text, a substitution, or a sequence of both, as a list of substitutions to be joined."""
    if isinstance(value, (str, Substitution)):
        value = [value]
    if not isinstance(value, Iterable):
        raise TypeError(f"a text or a substitution is needed, got {value!r}")
    parts: list[Substitution] = []
    for part in value:
        if isinstance(part, str):
            part = TextSubstitution(text=part)
        if not isinstance(part, Substitution):
            raise TypeError(f"a text or a substitution is needed, got {part!r}")
        parts.append(part)
    return parts


def describe(value: SomeSubstitutionsType) -> str:
    """``value`` as ``--show-args`` writes it."""
    return " + ".join(part.describe() for part in normalize(value))


def perform(context: LaunchContext, value: SomeSubstitutionsType) -> str:
    """The text of ``value`` now."""
    return "".join(part.perform(context) for part in normalize(value))


def truth(text: str) -> bool:
    """What a text means where a bool is wanted (a condition is stricter). ValueError where it is none."""
    lowered = text.strip().lower()
    if lowered in ("true", "yes", "on", "1"):
        return True
    if lowered in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"true or false is needed, got {text!r}")


class TextSubstitution(Substitution):
    """A fixed text."""

    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"TextSubstitution needs a text, got {text!r}")
        self.text = text

    def perform(self, context: LaunchContext) -> str:
        return self.text

    def describe(self) -> str:
        return f"'{self.text}'"


class LaunchConfiguration(Substitution):
    """The value of a launch configuration (a launch argument becomes one)."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: object = None) -> None:
        self._name = normalize(variable_name)
        self._default = default

    def perform(self, context: LaunchContext) -> str:
        name = perform(context, self._name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self._default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        if isinstance(self._default, (str, Substitution, Iterable)):
            return perform(context, self._default)
        return str(self._default)

    def describe(self) -> str:
        return f"LaunchConfig({describe(self._name)})"


class PathJoinSubstitution(Substitution):
    """Parts of a path, joined."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        self._parts = [normalize(part) for part in substitutions]

    def perform(self, context: LaunchContext) -> str:
        return str(Path(*(perform(context, part) for part in self._parts)))

    def describe(self) -> str:
        return f"PathJoin('{' + '.join(describe(part) for part in self._parts)}')"


class PythonExpression(Substitution):
    """The value of a Python expression, as text; ``python_modules`` can be used in it, ``math`` unnamed."""

    def __init__(self, expression: SomeSubstitutionsType, python_modules: Sequence[str] = ("math",)) -> None:
        self._expression = normalize(expression)
        self._modules = list(python_modules)

    def perform(self, context: LaunchContext) -> str:
        names: dict[str, object] = {}
        for name in self._modules:
            module = importlib.import_module(name)
            names[name] = module
            if name == "math":
                names.update(vars(module))
        expression = perform(context, self._expression)
        try:
            return str(eval(expression, {}, names))  # a launch file is a program of the user's own
        except Exception as error:
            raise SubstitutionFailure(f"the expression {expression!r} cannot be evaluated: {error}") from error

    def describe(self) -> str:
        return f"PythonExpr({describe(self._expression)}, [{', '.join(repr(name) for name in self._modules)}])"


class EnvironmentVariable(Substitution):
    """The value of an environment variable."""

    def __init__(self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None) -> None:
        self._name = normalize(name)
        self._default = None if default_value is None else normalize(default_value)

    def perform(self, context: LaunchContext) -> str:
        name = perform(context, self._name)
        if name in context.environment:
            return context.environment[name]
        if self._default is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform(context, self._default)

    def describe(self) -> str:
        return f"EnvVar({describe(self._name)})"


class FindExecutable(Substitution):
    """The path of a program on ``PATH``."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        self._name = normalize(name)

    def perform(self, context: LaunchContext) -> str:
        name = perform(context, self._name)
        path = shutil.which(name)
        if path is None:
            raise SubstitutionFailure(f"executable '{name}' not found on the PATH")
        return path

    def describe(self) -> str:
        return f"FindExec({describe(self._name)})"


class Command(Substitution):
    """What a command writes to its standard output; it must end well and write nothing to standard error."""

    def __init__(self, command: SomeSubstitutionsType) -> None:
        self._command = normalize(command)

    def perform(self, context: LaunchContext) -> str:
        command = perform(context, self._command)
        try:
            done = subprocess.run(shlex.split(command), capture_output=True, text=True, env=dict(context.environment))
        except OSError as error:
            raise SubstitutionFailure(f"the command '{command}' cannot be run: {error}") from error
        if done.returncode or done.stderr:
            raise SubstitutionFailure(f"the command '{command}' failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout

    def describe(self) -> str:
        return f"Command({describe(self._command)})"


class ThisLaunchFile(Substitution):
    """The path of the launch file that is being read."""

    def perform(self, context: LaunchContext) -> str:
        if not context.launch_files:
            raise SubstitutionFailure("ThisLaunchFile: no launch file is being read")
        return context.launch_files[-1]


class ThisLaunchFileDir(ThisLaunchFile):
    """The folder of the launch file that is being read."""

    def perform(self, context: LaunchContext) -> str:
        return str(Path(super().perform(context)).parent)
