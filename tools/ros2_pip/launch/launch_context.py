"""What a launch knows while it runs: launch configurations, environment, the file being read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ._process import ProcessSpec
    from .actions import ExecuteProcess
    from .entities import LaunchDescriptionEntity
    from .event_handlers import EventHandler
    from .events import Event
    from .substitutions import Substitution


class Runtime(NamedTuple):
    """What the launch service lends to actions while it runs."""

    start: Callable[[ExecuteProcess, ProcessSpec], None]
    later: Callable[[float, list[LaunchDescriptionEntity]], None]
    emit: Callable[[Event], None]


class LaunchContext:
    """State shared by all entities of one launch. Configurations and environment have nested scopes."""

    def __init__(self, *, argv: list[str] | None = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, Any] = {}
        self.launch_files: list[str] = []
        """Paths of the launch files being read, innermost last."""
        self.handlers: list[EventHandler] = []
        self.is_shutdown = False
        self.event: Event | None = None
        """The event that is being handled."""
        self.runtime: Runtime | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._scopes: list[tuple[dict[str, Any], dict[str, str]]] = []

    @property
    def environment(self) -> MutableMapping[str, str]:
        return os.environ

    def push_scope(self) -> None:
        """From here to :meth:`pop_scope`, changes of configurations and environment are undone."""
        self._scopes.append((dict(self.launch_configurations), dict(os.environ)))

    def pop_scope(self, keep: Mapping[str, Any] | None = None) -> None:
        configurations, environment = self._scopes.pop()
        self.launch_configurations = {**configurations, **(keep or {})}
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)

    def temporary_file(self, content: str) -> str:
        """The path of a new file with that content; it is removed when the launch has ended."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="launch_params_")
        with tempfile.NamedTemporaryFile("w", dir=self._temporary.name, suffix=".yaml", delete=False) as file:
            file.write(content)
        return file.name

    def remove_temporary_files(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def leave_file(self) -> None:
        self.launch_files.pop()

    def perform_substitution(self, substitution: Substitution) -> str:
        return substitution.perform(self)
