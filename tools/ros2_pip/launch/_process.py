"""One process of a launch: started in a group of its own, its output read line by line, ended in three steps."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ._log import log

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class ProcessSpec:
    """How to start a process. ``stdout``, ``stderr``: where its lines go, see ``Log.output``."""

    name: str
    cmd: list[str]
    env: Mapping[str, str]
    cwd: str | None = None
    shell: bool = False
    emulate_tty: bool = False
    stdout: frozenset[str] = frozenset({"log"})
    stderr: frozenset[str] = frozenset({"log", "screen"})
    sigterm_timeout: float = 5.0
    """Seconds from SIGINT to SIGTERM."""
    sigkill_timeout: float = 5.0
    """Seconds from SIGTERM to SIGKILL."""

    @property
    def command_line(self) -> str:
        return " ".join(part for part in self.cmd if part.strip())


class RunningProcess:
    """A started process. Raises OSError where it cannot be started.

    It leads a process group, so that Ctrl-C in the terminal reaches the launch alone, which then
    passes it on to the whole group in order; and it gets SIGTERM should the launch die.
    """

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._stop: asyncio.Task[None] | None = None
        self._pumps: list[_LinePump] = []
        launch_pid = os.getpid()

        def before_exec() -> None:
            os.setpgid(0, 0)
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != launch_pid:
                os._exit(1)  # the launch died meanwhile

        read_ends, write_ends = _output_channels(spec.emulate_tty)
        try:
            self._popen = subprocess.Popen(
                spec.command_line if spec.shell else spec.cmd,
                shell=spec.shell,
                cwd=spec.cwd,
                env=dict(spec.env),
                stdin=subprocess.DEVNULL,
                stdout=write_ends[0],
                stderr=write_ends[-1],
                preexec_fn=before_exec,
            )
        except BaseException:
            for end in read_ends:
                os.close(end)
            raise
        finally:
            for end in write_ends:
                os.close(end)
        for end, destinations in zip(read_ends, (spec.stdout, spec.stderr), strict=False):
            self._pumps.append(_LinePump(end, partial(log.output, spec.name, destinations)))

    @property
    def pid(self) -> int:
        return self._popen.pid

    async def wait(self) -> int:
        """The exit status, negative for a signal, after the last line of output."""
        status = await _exit_status(self._popen)
        if self._stop is not None:
            self._stop.cancel()
        # what it started itself may still hold the pipes open; nobody waits for that
        await asyncio.wait([asyncio.ensure_future(pump.end) for pump in self._pumps], timeout=0.5)
        for pump in self._pumps:
            pump.close()
        return status

    def stop(self, *, first: signal.Signals = signal.SIGINT) -> None:
        """Begins to end it: SIGINT, later SIGTERM, at last SIGKILL."""
        if self._stop is None and self._popen.poll() is None:
            self._stop = asyncio.ensure_future(self._escalate(first))

    def group_lives(self) -> bool:
        """Whether anything of its process group is left, itself included."""
        try:
            os.killpg(self._popen.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def end_group(self) -> None:
        """Asks whatever is left of its group to end."""
        self._signal_group(signal.SIGTERM)

    def kill_group(self) -> None:
        """The hard end of whatever is left of its group."""
        self._signal_group(signal.SIGKILL)

    async def _escalate(self, first: signal.Signals) -> None:
        spec = self.spec
        self._send(first)
        await asyncio.sleep(spec.sigterm_timeout)
        self._overdue(spec.sigterm_timeout, "SIGINT", "SIGTERM")
        self._send(signal.SIGTERM)
        await asyncio.sleep(spec.sigkill_timeout)
        self._overdue(spec.sigterm_timeout + spec.sigkill_timeout, "SIGTERM", "SIGKILL")
        self._send(signal.SIGKILL)

    def _overdue(self, seconds: float, sent: str, following: str) -> None:
        log.error(
            self.spec.name,
            f"process[{self.spec.name}] failed to terminate '{seconds:g}' seconds after receiving '{sent}', "
            f"escalating to '{following}'",
        )

    def _send(self, number: signal.Signals) -> None:
        log.info(self.spec.name, f"sending signal '{number.name}' to process[{self.spec.name}]")
        self._signal_group(number)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)


def _output_channels(emulate_tty: bool) -> tuple[list[int], list[int]]:
    """The ends to read and the ends to write: a pseudo-terminal for both streams, or a pipe for each."""
    if emulate_tty:
        master, slave = pty.openpty()
        return [master], [slave]
    out, err = os.pipe(), os.pipe()
    return [out[0], err[0]], [out[1], err[1]]


class _LinePump:
    """Hands what arrives on a file descriptor to ``sink``, line by line; ``end`` is done when it has ended."""

    def __init__(self, descriptor: int, sink: Callable[[str], None]) -> None:
        self._descriptor, self._sink = descriptor, sink
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        self.end: asyncio.Future[None] = self._loop.create_future()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return
        except OSError:  # a pseudo-terminal whose other side is gone
            data = b""
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)

    def _emit(self, line: bytes) -> None:
        self._sink(line.removesuffix(b"\r").decode("utf-8", "replace"))

    def close(self) -> None:
        if self.end.done():
            return
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        if self._rest:
            self._emit(self._rest)
        self.end.set_result(None)


async def _exit_status(popen: subprocess.Popen[bytes]) -> int:
    """Waits for the end without a thread: through a pidfd, or by looking now and then where there is none."""
    try:
        descriptor = os.pidfd_open(popen.pid)
    except OSError:
        while popen.poll() is None:
            await asyncio.sleep(0.02)
        return popen.wait()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return popen.wait()
