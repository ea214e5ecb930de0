"""Programs from the fixed list of the file of actions, each for a bounded time."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from .events import Event
from .workers import ActionError

TIMEOUT_S = 10.0
_TERM_S = 2.0


def run(words: Sequence[str], event: Event, timeout_s: float = TIMEOUT_S) -> None:
    """Runs a program and waits for it; what hangs is ended with all that it has started. Raises ``ActionError``.

    The event is in its environment (``FACE_AF_EVENT``, ``FACE_AF_PERSON``, ``FACE_AF_STATE``), never in its arguments:
    no name can become an option or a command.
    """
    about = {"FACE_AF_EVENT": event.kind, "FACE_AF_PERSON": event.person, "FACE_AF_STATE": event.state}
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            words, stdin=nothing, stdout=nothing, stderr=nothing, env={**os.environ, **about}, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise ActionError(f"{words[0]}: cannot be started ({getattr(error, 'strerror', None) or error})") from error
    try:
        status = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        raise ActionError(f"{words[0]}: did not end within {timeout_s:g} s and was stopped") from None
    if status:
        raise ActionError(f"{words[0]}: ended with status {status}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_S)
            if sign == signal.SIGKILL:
                return
