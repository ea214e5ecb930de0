"""A service call from a thread that is not the node's own."""

from __future__ import annotations

import threading
from typing import Any

from .workers import ActionError


def call(client: Any, request: Any, timeout_s: float) -> Any:
    """The answer; the node's executor must be spinning elsewhere. Raises ``ActionError`` after ``timeout_s``."""
    if not client.wait_for_service(timeout_sec=1.0):
        raise ActionError(f"{client.srv_name}: nobody serves it")
    answered = threading.Event()
    future = client.call_async(request)
    future.add_done_callback(lambda _: answered.set())
    if not answered.wait(timeout_s):
        client.remove_pending_request(future)
        raise ActionError(f"{client.srv_name}: no answer within {timeout_s:g} s")
    return future.result()
