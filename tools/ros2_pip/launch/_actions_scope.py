"""Actions that read files and change what later actions see: arguments, configurations, environment, groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._log import log
from .conditions import Condition
from .entities import Action, LaunchDescriptionEntity
from .event_handlers import Entities, as_list
from .launch_description_sources import LaunchDescriptionSource, Location, PythonLaunchDescriptionSource
from .substitutions import SomeSubstitutionsType, describe, normalize, perform

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class _Do(LaunchDescriptionEntity):
    """A step of the launch's own, such as leaving a scope."""

    def __init__(self, step: Callable[[LaunchContext], None]) -> None:
        self._step = step

    def visit(self, context: LaunchContext) -> None:
        self._step(context)


class DeclareLaunchArgument(Action):
    """An argument of the launch file: ``name:=value`` on the command line, a launch configuration inside."""

    is_argument = True

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Sequence[str] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self.name = name
        self.default_value = None if default_value is None else normalize(default_value)
        self.choices = None if choices is None else list(choices)
        if self.choices is None:
            self.description = "no description given" if description is None else description
            return
        if not self.choices:
            raise RuntimeError(f"launch argument {name}: choices is empty; leave it out if every value is right")
        if isinstance(default_value, str) and default_value not in self.choices:
            raise RuntimeError(f"launch argument {name}: the default {default_value!r} is none of {self.choices}")
        if description is None:
            self.description = f"One of: {self.choices}"
        else:
            self.description = (
                f"{description}{'' if description.endswith('.') else '.'} Valid choices are: {self.choices}"
            )

    @property
    def default_text(self) -> str | None:
        """The default as ``--show-args`` writes it; None where the argument must be given."""
        return None if self.default_value is None else describe(self.default_value)

    def execute(self, context: LaunchContext) -> None:
        if self.name not in context.launch_configurations:
            if self.default_value is None:
                raise RuntimeError(f'Required launch argument "{self.name}" was not provided ({self.description})')
            context.launch_configurations[self.name] = perform(context, self.default_value)
        value = context.launch_configurations[self.name]
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(f'Argument "{self.name}": "{value}" is not valid. Valid options are: {self.choices}')


class _SetNamed(Action):
    """Something with a name gets a value."""

    def __init__(
        self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, *, condition: Condition | None = None
    ) -> None:
        super().__init__(condition=condition)
        self._name, self._value = normalize(name), normalize(value)


class SetLaunchConfiguration(_SetNamed):
    """Sets a launch configuration from here on in this scope."""

    def execute(self, context: LaunchContext) -> None:
        context.launch_configurations[perform(context, self._name)] = perform(context, self._value)


class SetEnvironmentVariable(_SetNamed):
    """Sets an environment variable for what is started later in this scope."""

    def execute(self, context: LaunchContext) -> None:
        context.environment[perform(context, self._name)] = perform(context, self._value)


class AppendEnvironmentVariable(Action):
    """Appends to an environment variable (or puts before it) with a separator between."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool = False,
        separator: str = os.pathsep,
        *,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._name, self._value = normalize(name), normalize(value)
        self._prepend, self._separator = prepend, separator

    def execute(self, context: LaunchContext) -> None:
        name, value = perform(context, self._name), perform(context, self._value)
        if name in context.environment:
            parts = [context.environment[name], value]
            value = self._separator.join(reversed(parts) if self._prepend else parts)
        context.environment[name] = value


class GroupAction(Action):
    """Actions together; with ``scoped``, what they set is undone after them."""

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        launch_configurations: Mapping[str, SomeSubstitutionsType] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._actions = list(actions)
        self._scoped = scoped
        self._sets = [SetLaunchConfiguration(name, value) for name, value in (launch_configurations or {}).items()]

    def sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        return self._actions

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        inner = [*self._sets, *self._actions]
        if not self._scoped:
            return inner
        return [_Do(lambda c: c.push_scope()), *inner, _Do(lambda c: c.pop_scope())]


class IncludeLaunchDescription(Action):
    """Another launch file, with arguments for it."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | Location,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            launch_description_source = PythonLaunchDescriptionSource(launch_description_source)
        self._source = launch_description_source
        self._arguments = list(launch_arguments or [])

    def sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        description = self._source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        description = self._source.get_launch_description(context)
        given = {perform(context, name) for name, _ in self._arguments}
        for argument, conditional in description.arguments():
            if argument.default_value is None and not conditional and argument.name not in given:
                raise RuntimeError(
                    f"{self._source.location}: required argument '{argument.name}' is missing ({argument.description})"
                )
        path = self._source.location
        return [
            _Do(lambda c: c.launch_files.append(path)),
            *(SetLaunchConfiguration(name, value) for name, value in self._arguments),
            description,
            _Do(lambda c: c.leave_file()),
        ]


class LogInfo(Action):
    """Writes a line to the log and the screen."""

    def __init__(self, *, msg: SomeSubstitutionsType, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        self._message = normalize(msg)

    def execute(self, context: LaunchContext) -> None:
        log.info("launch.user", perform(context, self._message))


class OpaqueFunction(Action):
    """A function of the context; it may return further entities."""

    def __init__(
        self,
        *,
        function: Callable[..., Entities],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        if not callable(function):
            raise TypeError(f"OpaqueFunction needs a function, got {function!r}")
        self._function, self._args, self._kwargs = function, list(args), dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        return as_list(self._function(context, *self._args, **self._kwargs))
