"""Services as nodes offer them: bounded questions, short answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.service import Service

from .names import short

MAX_TEXT = 1_000
"""Characters of a text in a request; the longest that makes sense is a path."""
MAX_MESSAGE = 500
"""Characters of an answer's message."""


def serve(node: Node, kind: Any, name: str, answer: Callable[[Any, Any], Any]) -> Service:
    """Offers a service whose response has ``success`` and ``message``.

    A request with longer texts than anything that exists is answered without asking ``answer``; a message that
    repeats what was asked is cut.
    """

    def reply(request: Any, response: Any) -> Any:
        for field in request.get_fields_and_field_types():
            value = getattr(request, field)
            if isinstance(value, str) and len(value) > MAX_TEXT:
                response.message = f"{field} has {len(value)} characters; at most {MAX_TEXT} are allowed"
                return response
        response = answer(request, response)
        response.message = short(response.message, MAX_MESSAGE)
        return response

    return node.create_service(kind, name, reply)


def guard_parameter_services(node: Node) -> None:
    """rclpy's own parameter services refuse what they do not understand; as they are, it ends the executor.

    A value of a type that does not exist is enough (rclpy's ``Parameter.from_parameter_msg`` raises ValueError).
    """
    for service in node.services:
        if service.srv_type.__module__.startswith("rcl_interfaces.srv."):
            service.callback = _refusing(service.callback)


def _refusing(answer: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def reply(request: Any, response: Any) -> Any:
        try:
            return answer(request, response)
        except Exception as error:  # whatever a stranger's request leads to is the stranger's
            refused = SetParametersResult(
                successful=False, reason=short(f"not understood: {type(error).__name__}: {error}", MAX_MESSAGE)
            )
        if hasattr(response, "results"):
            # those before it have been answered, and those after it are not tried
            missing = len(request.parameters) - len(response.results)
            response.results = [*response.results, *[refused] * missing]
            return response
        response = type(response)()
        if isinstance(getattr(response, "result", None), SetParametersResult):
            response.result = refused
        return response

    return reply
