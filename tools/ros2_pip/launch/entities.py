"""What a launch description is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from .actions import DeclareLaunchArgument
    from .conditions import Condition
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Anything that can stand in a launch description."""

    is_argument = False
    """Whether it is a ``DeclareLaunchArgument``."""

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Does the entity's work; returns entities to visit next, if any."""
        raise NotImplementedError

    def sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """What this entity may bring in, as far as is known before it runs."""
        return ()


class Action(LaunchDescriptionEntity):
    """Something to do, unless its condition says otherwise."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        self.condition = condition

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        if self.condition is not None and not self.condition.evaluate(context):
            return None
        return self.execute(context)

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        raise NotImplementedError


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities, visited in order."""

    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        self.entities: list[LaunchDescriptionEntity] = []
        for entity in initial_entities or ():
            self.add_entity(entity)

    def add_action(self, action: Action) -> None:
        self.add_entity(action)

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"{entity!r} cannot stand in a launch description")
        self.entities.append(entity)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        return self.entities

    def sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        return self.entities

    def get_launch_arguments(self) -> list[DeclareLaunchArgument]:
        """Every declared argument, also those of included files, each name once, in order."""
        return [argument for argument, _ in self.arguments()]

    def arguments(self) -> list[tuple[DeclareLaunchArgument, bool]]:
        """As :meth:`get_launch_arguments`, each with whether it is declared under a condition only."""
        found: dict[str, tuple[DeclareLaunchArgument, bool]] = {}
        for argument, conditional in _declared(self.entities, False):
            found.setdefault(argument.name, (argument, conditional))
        return list(found.values())


def _declared(
    entities: Iterable[LaunchDescriptionEntity], conditional: bool
) -> Iterator[tuple[DeclareLaunchArgument, bool]]:
    for entity in entities:
        only_if = getattr(entity, "condition", None) is not None
        if entity.is_argument:
            yield cast("DeclareLaunchArgument", entity), conditional or only_if
        yield from _declared(entity.sub_entities(), only_if)
