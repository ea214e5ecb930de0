"""Actions about events and time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ._log import log
from .conditions import Condition
from .entities import Action, LaunchDescriptionEntity
from .event_handlers import EventHandler
from .events import Event
from .events import Shutdown as ShutdownEvent
from .events.process import ProcessExited
from .substitutions import SomeSubstitutionsType, perform

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class RegisterEventHandler(Action):
    """From here on, the handler reacts to its events."""

    def __init__(self, event_handler: EventHandler, *, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        if not isinstance(event_handler, EventHandler):
            raise TypeError(f"RegisterEventHandler needs an event handler, got {event_handler!r}")
        self._handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        context.handlers.append(self._handler)


class EmitEvent(Action):
    """Makes an event happen (Shutdown is the one that can be made)."""

    def __init__(self, *, event: Event, condition: Condition | None = None) -> None:
        super().__init__(condition=condition)
        if not isinstance(event, ShutdownEvent):
            raise NotImplementedError(f"EmitEvent supports launch.events.Shutdown only, not {type(event).__name__}")
        self._event = event

    def execute(self, context: LaunchContext) -> None:
        assert context.runtime is not None
        context.runtime.emit(self._event)


class Shutdown(EmitEvent):
    """Ends the launch."""

    def __init__(self, *, reason: str = "reason not given", condition: Condition | None = None) -> None:
        super().__init__(event=ShutdownEvent(reason=reason), condition=condition)

    def execute(self, context: LaunchContext) -> None:
        if isinstance(context.event, ProcessExited) and not context.is_shutdown:
            log.info("launch", f"process[{context.event.process_name}] was required: shutting down launched system")
        super().execute(context)


class TimerAction(Action):
    """Actions after ``period`` seconds, unless the launch ends before."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        condition: Condition | None = None,
    ) -> None:
        super().__init__(condition=condition)
        self._period = period
        self._actions = list(actions)

    def sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        return self._actions

    def execute(self, context: LaunchContext) -> None:
        period = self._period if isinstance(self._period, (int, float)) else perform(context, self._period)
        assert context.runtime is not None
        context.runtime.later(float(period), self._actions)
