"""Services as nodes offer them: bounded questions, short answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
