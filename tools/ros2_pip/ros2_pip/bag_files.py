"""What recording and playing share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rosbags.rosbag2 import Reader, ReaderError

from .main import CommandError


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a recording is always closed properly."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def open_bag(path: str) -> Iterator[Reader]:
    try:
        reader = Reader(path)
        reader.open()
    except (ReaderError, OSError) as error:
        raise CommandError(f"{path}: {error}") from error
    try:
        yield reader
    finally:
        reader.close()
