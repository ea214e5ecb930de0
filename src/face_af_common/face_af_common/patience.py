"""Work that may never end, such as reading from a share that is gone, and that must not hold up whoever asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ImpatientError(Exception):
    """The work was not done in time; it goes on in its thread."""


class Patience(Generic[T]):
    """Waits at most ``seconds`` for what it calls.

    One thing at a time: while an earlier one is still not done, nothing else is begun, so that no threads gather.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._busy = threading.Lock()

    def __call__(self, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Raises :class:`ImpatientError` where it does not come in time."""
        if not self._busy.acquire(blocking=False):
            raise ImpatientError
        results: list[T] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                results.append(work())
            except BaseException as error:
                errors.append(error)
            finally:
                self._busy.release()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.seconds)
        if errors:
            raise errors[0]
        if not results:
            raise ImpatientError
        return results[0]
