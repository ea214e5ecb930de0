"""Who does the work: this process, several, or a Dask cluster. All give the same results, in the same order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .bank import Bank, Rows, Scale
from .engine import Models, engine
from .errors import CropError
from .settings import make_settings
from .video import open_video


@dataclass(frozen=True)
class Task:
    """A stretch of one video: plain values and arrays only.

    ``bank`` None: a pre-scan. ``settings``: flat values, preset applied.
    """

    video: str
    start: int
    end: int
    settings: dict[str, Any]
    models: Models
    bank: tuple[Scale, dict[str, Rows], Rows] | None = None


def work(task: Task) -> bytes:
    """Does a task; returns the bytes of a :class:`.prescan.Scan` or :class:`.candidates.PieceResult`."""
    from .main_pass import MainPass
    from .prescan import scan

    settings = make_settings(changes=task.settings)
    networks = engine(task.models)
    video = open_video(Path(task.video))
    if task.bank is None:
        return scan(video, task.start, task.end, networks, settings).to_bytes()
    return MainPass(video, networks, Bank(*task.bank), settings).run(task.start, task.end).to_bytes()


class Workers(Protocol):
    def map(self, tasks: Sequence[Task]) -> Iterator[tuple[int, bytes]]:
        """(position of the task, its result) for every task, as they are finished."""
        ...

    def close(self) -> None: ...


class ThisProcess:
    def map(self, tasks: Sequence[Task]) -> Iterator[tuple[int, bytes]]:
        for i, task in enumerate(tasks):
            yield i, work(task)

    def close(self) -> None:
        pass


class Processes:
    """``count`` processes of this machine, each with its own networks."""

    def __init__(self, count: int) -> None:
        self._pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_quiet)

    def map(self, tasks: Sequence[Task]) -> Iterator[tuple[int, bytes]]:
        waiting = {self._pool.submit(work, task): i for i, task in enumerate(tasks)}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _quiet() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer


class Cluster:
    """A Dask cluster at ``address``. Its protocol is pickle: only loopback, or TLS, is accepted."""

    RETRIES = 3

    def __init__(self, address: str, connect: Callable[..., Any] | None = None) -> None:
        check_address(address)
        try:
            from distributed import Client
        except ImportError as error:
            raise CropError("--dask needs Dask: pip install 'dask[distributed]'") from error
        try:
            self._client = (connect or Client)(address, timeout=10)
        except (OSError, TimeoutError, ValueError) as error:
            raise CropError(f"{address}: no Dask scheduler answers there ({error})") from error

    def map(self, tasks: Sequence[Task]) -> Iterator[tuple[int, bytes]]:
        from distributed import as_completed

        self._check_files(sorted({task.video for task in tasks}))
        futures = self._client.map(work, tasks, pure=False, retries=self.RETRIES)
        place = {future.key: i for i, future in enumerate(futures)}
        for future in as_completed(futures):
            yield place[future.key], future.result()

    def _check_files(self, videos: Sequence[str]) -> None:
        for worker, sizes in self._client.run(_sizes, list(videos)).items():
            for video in videos:
                if sizes[video] != Path(video).stat().st_size:
                    raise CropError(f"{video}: the Dask worker {worker} has no such file, or another one of that name")

    def close(self) -> None:
        self._client.close()


def _sizes(videos: Sequence[str]) -> dict[str, int]:
    return {video: Path(video).stat().st_size if Path(video).is_file() else -1 for video in videos}


def check_address(address: str) -> None:
    """Raises :class:`CropError` unless ``address`` is ``tls://...`` or on this machine."""
    import ipaddress
    from urllib.parse import urlsplit

    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme == "tls":
        return
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if parts.scheme != "tcp" or not local:
        raise CropError(
            f"{address}: Dask sends Python objects, which whoever is on the line could forge; use tls://HOST:PORT"
        )
