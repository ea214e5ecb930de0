"""What a recording must know beside its messages: every node's parameters, the versions of models and gallery."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.node import Node

_FIELDS = {
    ParameterType.PARAMETER_BOOL: "bool_value",
    ParameterType.PARAMETER_INTEGER: "integer_value",
    ParameterType.PARAMETER_DOUBLE: "double_value",
    ParameterType.PARAMETER_STRING: "string_value",
    ParameterType.PARAMETER_BOOL_ARRAY: "bool_array_value",
    ParameterType.PARAMETER_INTEGER_ARRAY: "integer_array_value",
    ParameterType.PARAMETER_DOUBLE_ARRAY: "double_array_value",
    ParameterType.PARAMETER_STRING_ARRAY: "string_array_value",
}


class ParameterSnapshots:
    """Asks each node of the recorder's namespace for its parameters when it appears; later changes are events.

    ``found`` gets ``{node: {parameter: value}}`` of all nodes seen so far, whenever that has changed.
    """

    def __init__(self, node: Node, found: Callable[[dict[str, dict[str, Any]]], None]) -> None:
        self._node = node
        self._found = found
        self._clients: dict[str, tuple[Any, Any]] = {}
        self._answered: set[str] = set()
        self._values: dict[str, dict[str, Any]] = {}

    def survey(self) -> None:
        """Asks new nodes, and again those whose answer has not come (it may be lost); call it every few seconds."""
        present = {
            f"{namespace.rstrip('/')}/{name}"
            for name, namespace in self._node.get_node_names_and_namespaces()
            if namespace == self._node.get_namespace() and not name.startswith("_")
        } - {self._node.get_fully_qualified_name()}
        for name in set(self._clients) - present:
            self._forget(name)
        for name in sorted(present - self._answered):
            self._ask(name)

    def _ask(self, name: str) -> None:
        if name not in self._clients:
            self._clients[name] = (
                self._node.create_client(ListParameters, f"{name}/list_parameters"),
                self._node.create_client(GetParameters, f"{name}/get_parameters"),
            )
        listing, getting = self._clients[name]
        if not listing.service_is_ready() or not getting.service_is_ready():
            return

        def on_names(future: Any) -> None:
            names = list(future.result().result.names)
            getting.call_async(GetParameters.Request(names=names)).add_done_callback(
                lambda answer: self._on_values(name, names, answer.result().values)
            )

        listing.call_async(ListParameters.Request()).add_done_callback(on_names)

    def _on_values(self, name: str, names: list[str], values: list[Any]) -> None:
        self._answered.add(name)
        new = {key: _plain(value) for key, value in zip(names, values, strict=False)}
        if self._values.get(name) != new:
            self._values[name] = new
            self._found(dict(self._values))

    def _forget(self, name: str) -> None:
        self._answered.discard(name)
        for client in self._clients.pop(name):
            self._node.destroy_client(client)


def versions(nodes: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, str]:
    """Versions and checksums, by what they are of; with ``nodes``' parameters also of models and gallery in use."""
    from face_af_common.paths import share_dir

    found = {"format": "face_af 1"}
    manifest = share_dir() / "models" / "models.yaml"
    if manifest.is_file():
        found["models.yaml sha256"] = _digest([manifest])
    for parameters in (nodes or {}).values():
        for key in ("detector", "embedder", "runtime", "target"):
            if isinstance(parameters.get(key), str) and parameters[key]:
                found[key] = parameters[key]
        gallery = parameters.get("gallery")
        if isinstance(gallery, str) and gallery and Path(gallery).expanduser().is_dir():
            files = sorted(path for path in Path(gallery).expanduser().rglob("*") if path.is_file())
            found["gallery"] = gallery
            found["gallery sha256"] = _digest(files[:5000])
    return found


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with contextlib.suppress(OSError):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    field = _FIELDS.get(value.type)
    if field is None:
        return None
    content = getattr(value, field)
    return list(content) if field.endswith("array_value") else content
