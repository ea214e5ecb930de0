"""The running graph, asked from the web server's event loop: services, parameters, what the topics say."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import yaml
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy._rclpy_pybind11 import InvalidHandle
from rclpy.node import Node
from std_srvs.srv import Trigger

from face_af_common import yaml_files
from face_af_common.node_params import NODES
from face_af_msgs import srv

from .acts import ActError, Known
from .protocol import is_text

SERVICES: dict[str, tuple[type, str]] = {
    "set_target": (srv.SetTarget, "perception"),
    "enroll_face": (srv.EnrollFace, "perception"),
    "list_people": (srv.ListPeople, "perception"),
    "get_face_image": (srv.GetFaceImage, "perception"),
    "add_photograph": (srv.AddPhotograph, "perception"),
    "remove_sample": (srv.RemoveSample, "perception"),
    "calibrate_overlay": (srv.CalibrateOverlay, "overlay"),
    "pause": (Trigger, "steering"),
    "resume": (Trigger, "steering"),
    "set_recipe": (srv.SetRecipe, "steering"),
    "press": (srv.Press, "nikon_mcn10"),
}
"""Services that pages use, their types, and the nodes that offer them."""

_ANSWER_S = 8.0
_READY_S = 2.0
_POLL_S = 0.02
_VALUES = {
    ParameterType.PARAMETER_BOOL: "bool_value",
    ParameterType.PARAMETER_INTEGER: "integer_value",
    ParameterType.PARAMETER_DOUBLE: "double_value",
    ParameterType.PARAMETER_STRING: "string_value",
    ParameterType.PARAMETER_DOUBLE_ARRAY: "double_array_value",
    ParameterType.PARAMETER_INTEGER_ARRAY: "integer_array_value",
    ParameterType.PARAMETER_STRING_ARRAY: "string_array_value",
}


class RosGraph:
    """Everything of ``rclpy`` is done in the thread of ``node``'s executor; the coroutines are for another thread.

    ``record`` starts and stops the recorder. :attr:`known` is kept up to date by the node.
    """

    def __init__(self, node: Node, record: Callable[[bool], str]) -> None:
        self._node, self._record = node, record
        self.known = Known()
        self._work: deque[Callable[[], None]] = deque()
        self._guard = node.create_guard_condition(self._run_work)
        self._ros_thread = threading.get_ident()
        self._clients: dict[str, Any] = {name: node.create_client(kind, name) for name, (kind, _) in SERVICES.items()}

    def in_ros(self, work: Callable[[], None]) -> None:
        """Runs ``work`` in the executor's thread, soon."""
        self._work.append(work)
        try:
            self._guard.trigger()
        except InvalidHandle:  # the node has been destroyed
            pass

    def _run_work(self) -> None:
        while self._work:
            self._work.popleft()()

    async def ask(self, service: str, **fields: Any) -> Any:
        kind, owner = SERVICES[service]
        if not all(is_text(value) for value in fields.values() if isinstance(value, str)):
            raise ActError("no text that can be written")
        return await self._call(service, kind, owner, kind.Request(**fields), ready_s=0.1)  # type: ignore[attr-defined]

    async def _call(self, name: str, kind: type, owner: str, request: Any, ready_s: float) -> Any:
        """A service's response. Raises :class:`ActError` where it is not there within ``ready_s``, or silent."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        def tell(value: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, value)

        def call() -> None:
            if name not in self._clients:
                self._clients[name] = self._node.create_client(kind, name)
            client = self._clients[name]
            if not client.service_is_ready():
                tell(None)
                return
            client.call_async(request).add_done_callback(lambda done: tell(done.result()))

        deadline = loop.time() + ready_s
        try:
            while True:
                self.in_ros(call)
                response = await asyncio.wait_for(asyncio.shield(answer), _ANSWER_S)
                if response is not None:
                    return response
                if loop.time() > deadline:
                    raise ActError(f"{owner} does not answer: it is not running, or just starting")
                await asyncio.sleep(_POLL_S)
                answer = loop.create_future()
        except asyncio.TimeoutError:
            raise ActError(f"{owner} has not answered for {_ANSWER_S:.0f} s") from None

    # -- parameters --------------------------------------------------------------------------------------------------

    async def parameters(self, node: str) -> list[dict[str, Any]]:
        """Every parameter of a node: name, value, text, range. Raises :class:`ActError`."""
        listed = await self._of(node, "list_parameters", ListParameters, ListParameters.Request())
        names = [name for name in listed.result.names if not name.startswith(("qos_overrides.", "use_sim_time"))]
        described = await self._of(
            node, "describe_parameters", DescribeParameters, DescribeParameters.Request(names=names)
        )
        values = (await self._of(node, "get_parameters", GetParameters, GetParameters.Request(names=names))).values
        return [
            _described(descriptor, value)
            for descriptor, value in zip(described.descriptors, values, strict=True)
            if value.type in _VALUES
        ]

    async def set_parameter(self, node: str, name: str, value: str) -> str:
        before = await self._of(node, "get_parameters", GetParameters, GetParameters.Request(names=[name]))
        if not before.values or before.values[0].type not in _VALUES:
            raise ActError(f"{node} has no parameter {name}")
        old = before.values[0]
        request = SetParameters.Request(parameters=[Parameter(name=name, value=parameter_value(name, old.type, value))])
        result = (await self._of(node, "set_parameters", SetParameters, request)).results[0]
        if not result.successful:
            raise ActError(result.reason or f"{name} was refused")
        return _to_text(_value(old))

    async def parameter(self, node: str, name: str) -> Any:
        """One value; None where there is none."""
        said = await self._of(node, "get_parameters", GetParameters, GetParameters.Request(names=[name]))
        return _value(said.values[0]) if said.values and said.values[0].type in _VALUES else None

    async def _of(self, node: str, service: str, kind: type, request: Any) -> Any:
        if node not in NODES:
            raise ActError(f"there is no node {node!r}; there are {', '.join(NODES)}")
        return await self._call(f"{node}/{service}", kind, node, request, ready_s=_READY_S)

    async def record(self, on: bool) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, self._record, on)


def _value(value: ParameterValue) -> Any:
    held = getattr(value, _VALUES[value.type])
    return list(held) if value.type >= ParameterType.PARAMETER_INTEGER_ARRAY else held


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return (
        str(yaml.safe_dump(value, default_flow_style=True, width=10_000)).removesuffix("\n").removesuffix("...").strip()
    )


def parameter_value(name: str, kind: int, text: str) -> ParameterValue:
    """What the user has typed for a parameter. Raises :class:`ActError`."""
    try:
        value = text if kind == ParameterType.PARAMETER_STRING else yaml_files.parse(text, name)
        if kind == ParameterType.PARAMETER_DOUBLE:
            value = float(value)
        if kind == ParameterType.PARAMETER_DOUBLE_ARRAY:
            value = [float(item) for item in value]
        if isinstance(value, bool) != (kind == ParameterType.PARAMETER_BOOL):
            raise ValueError
        return ParameterValue(type=kind, **{_VALUES[kind]: value})
    except (ValueError, TypeError, AssertionError, OverflowError):
        raise ActError(f"{name}: {text!r} does not fit") from None


def _described(descriptor: Any, value: ParameterValue) -> dict[str, Any]:
    ranges = [*descriptor.floating_point_range, *descriptor.integer_range]
    rule = descriptor.additional_constraints
    return {
        "name": descriptor.name,
        "value": _to_text(_value(value)),
        "kind": _VALUES[value.type].removesuffix("_value"),
        "text": descriptor.description,
        "low": ranges[0].from_value if ranges else None,
        "high": ranges[0].to_value if ranges else None,
        "choices": rule.removeprefix("one of: ").split(", ") if rule.startswith("one of: ") else [],
        "fixed": descriptor.read_only,
    }
