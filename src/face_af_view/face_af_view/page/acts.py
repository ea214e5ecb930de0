"""What a page may do: each act asks the graph, is confirmed in one line, and says how it is undone."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import protocol

MAX_UNDO = 20
_STATES = {"detected": 1, "tracked": 2, "active_focus": 3}


class ActError(Exception):
    """The act was not done; one line that says why."""


class Graph(Protocol):
    """The running graph, as far as acts need it."""

    async def ask(self, service: str, **fields: Any) -> Any:
        """The response of a service. Raises :class:`ActError` where nobody answers."""
        ...

    async def set_parameter(self, node: str, name: str, value: str) -> str:
        """Sets a parameter from text, returns the value of before as text. Raises :class:`ActError`."""
        ...

    async def record(self, on: bool) -> str:
        """Starts or stops the recorder; what to tell. Raises :class:`ActError`."""
        ...

    @property
    def known(self) -> Known:
        """What the graph said last."""
        ...


@dataclass(frozen=True)
class Known:
    """What is chosen now. ``width``, ``height``: of the newest frame, pixels; 0 = none came yet."""

    target: str = ""
    followed: int = 0
    """Track that is followed whoever it is; 0 = none."""
    paused: bool = False
    recipe: str = ""
    width: int = 0
    height: int = 0


Undo = Callable[[], Awaitable[str]]


@dataclass
class Done:
    """An act that was done: what to tell, and how to undo it (None: it cannot be)."""

    message: str
    undo: Undo | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


class Acts:
    """Performs checked acts. What can be undone is kept for the newest :data:`MAX_UNDO` of them."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._undoable: OrderedDict[int, Undo] = OrderedDict()
        self._ids = itertools.count(1)

    async def perform(self, act: protocol.Act) -> str:
        """The message ``answer`` for the page."""
        try:
            done: Done = await getattr(self, f"_{act.name}")(**act.values)
        except ActError as error:
            return protocol.text("answer", id=act.id, ok=False, message=str(error))
        undo = 0
        if done.undo is not None:
            undo = next(self._ids)
            self._undoable[undo] = done.undo
            while len(self._undoable) > MAX_UNDO:
                self._undoable.popitem(last=False)
        return protocol.text("answer", id=act.id, ok=True, message=done.message, undo=undo, **done.more)

    async def _ask(self, service: str, **fields: Any) -> Any:
        response = await self._graph.ask(service, **fields)
        if not response.success:
            raise ActError(response.message)
        return response

    async def _set_target(self, name: str = "", track: int = 0) -> Done:
        before = self._graph.known
        response = await self._ask("set_target", identity=name, track_id=track)
        if before.recipe:  # it would go on choosing
            await self._ask("set_recipe", recipe="")

        async def undo() -> str:
            back = await self._ask("set_target", identity=before.target, track_id=before.followed)
            if before.recipe:
                back = await self._ask("set_recipe", recipe=before.recipe)
            return str(back.message)

        return Done(response.message, undo)

    async def _target(self, name: str) -> Done:
        return await self._set_target(name=name)

    async def _follow(self, track: int) -> Done:
        return await self._set_target(track=track)

    async def _nobody(self) -> Done:
        return await self._set_target()

    async def _pause(self) -> Done:
        return await self._paused("pause", "resume")

    async def _resume(self) -> Done:
        return await self._paused("resume", "pause")

    async def _paused(self, service: str, back: str) -> Done:
        response = await self._ask(service)

        async def undo() -> str:
            return str((await self._ask(back)).message)

        return Done(response.message, undo)

    async def _enrol(self, name: str, track: int) -> Done:
        return await self._add_face(name, track, negative=False)

    async def _not_this(self, name: str, track: int) -> Done:
        return await self._add_face(name, track, negative=True)

    async def _add_face(self, name: str, track: int, negative: bool) -> Done:
        response = await self._ask("enroll_face", identity=name, track_id=track, negative=negative)

        async def undo() -> str:
            gone = await self._ask("remove_sample", identity=name, sample_id=response.sample_id)
            return str(gone.message)

        return Done(response.message, undo if response.sample_id else None)

    async def _recipe(self, name: str) -> Done:
        before = self._graph.known.recipe
        response = await self._ask("set_recipe", recipe=name)

        async def undo() -> str:
            return str((await self._ask("set_recipe", recipe=before)).message)

        return Done(response.message, undo)

    async def _press(self, button: str) -> Done:
        return Done((await self._ask("press", button=button)).message)

    async def _focus(self, x: float, y: float) -> Done:
        return Done((await self._ask("press", button="af_area", x=x, y=y)).message)

    async def _remove_sample(self, name: str, sample: str) -> Done:
        return Done((await self._ask("remove_sample", identity=name, sample_id=sample)).message)

    async def _remove_person(self, name: str) -> Done:
        return Done((await self._ask("remove_sample", identity=name, sample_id="")).message)

    async def _calibrate(self, x: float, y: float, state: str) -> Done:
        known = self._graph.known
        if not known.width:
            raise ActError("no frame has come yet")
        place = {"x": x * known.width, "y": y * known.height}
        return Done((await self._ask("calibrate_overlay", state=_STATES[state], **place)).message)

    async def _set(self, node: str, name: str, value: str) -> Done:
        before = await self._graph.set_parameter(node, name, value)

        async def undo() -> str:
            await self._graph.set_parameter(node, name, before)
            return f"{name}: {before}"

        return Done(f"{name}: {value}", undo)

    async def _record(self, on: bool) -> Done:
        return Done(await self._graph.record(on))

    async def _undo(self, of: int) -> Done:
        undo = self._undoable.pop(of, None)
        if undo is None:
            raise ActError("this cannot be undone any more")
        return Done(await undo())
