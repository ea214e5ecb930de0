"""What to do when something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ._limits import unsupplied
from .entities import Action, LaunchDescriptionEntity
from .events import Event, Shutdown
from .events.process import ProcessEvent, ProcessExited, ProcessStarted

if TYPE_CHECKING:
    from .launch_context import LaunchContext

__all__ = [
    "OnProcessExit",
    "OnProcessStart",
    "OnShutdown",
]

__getattr__ = unsupplied(__name__)

Entities = LaunchDescriptionEntity | Iterable[LaunchDescriptionEntity] | None
Reaction = LaunchDescriptionEntity | Iterable[LaunchDescriptionEntity] | Callable[[Any, Any], Entities]
"""Entities to visit, or a function of the event and the context that returns them."""


def as_list(entities: Entities) -> Sequence[LaunchDescriptionEntity]:
    if entities is None:
        return []
    return [entities] if isinstance(entities, LaunchDescriptionEntity) else list(entities)


class EventHandler:
    """Reacts to the events that its :meth:`matches` accepts."""

    def __init__(self, kind: type[Event], reaction: Reaction) -> None:
        self._kind = kind
        self._reaction = reaction

    def matches(self, event: Event) -> bool:
        return isinstance(event, self._kind)

    def handle(self, event: Event, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """What is to be visited now."""
        if callable(self._reaction):
            return as_list(self._reaction(event, context))
        return as_list(self._reaction)


class _OnProcess(EventHandler):
    def __init__(self, kind: type[ProcessEvent], target_action: Action | None, reaction: Reaction) -> None:
        super().__init__(kind, reaction)
        if target_action is not None and not isinstance(target_action, Action):
            raise TypeError(f"{type(self).__name__}: target_action must be an action, got {target_action!r}")
        self._target = target_action

    def matches(self, event: Event) -> bool:
        return isinstance(event, ProcessEvent) and super().matches(event) and self._target in (None, event.action)


class OnProcessStart(_OnProcess):
    """When the process of ``target_action`` (any, if None) was started."""

    def __init__(self, *, target_action: Action | None = None, on_start: Reaction) -> None:
        super().__init__(ProcessStarted, target_action, on_start)


class OnProcessExit(_OnProcess):
    """When the process of ``target_action`` (any, if None) has ended."""

    def __init__(self, *, target_action: Action | None = None, on_exit: Reaction) -> None:
        super().__init__(ProcessExited, target_action, on_exit)


class OnShutdown(EventHandler):
    """When the launch begins to end."""

    def __init__(self, *, on_shutdown: Reaction) -> None:
        super().__init__(Shutdown, on_shutdown)
