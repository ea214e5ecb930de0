"""Runs a launch description until everything it started has ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import traceback
from collections.abc import Coroutine, Iterator

from ._log import log
from ._process import ProcessSpec, RunningProcess
from .actions import ExecuteProcess
from .entities import LaunchDescription, LaunchDescriptionEntity
from .events import Event, Shutdown
from .events.process import ProcessExited, ProcessStarted
from .launch_context import LaunchContext, Runtime


class LaunchService:
    """Visits a description and stays until its processes and timers have ended.

    SIGINT, SIGTERM, SIGHUP and SIGQUIT end it in order: whatever was started gets SIGINT, after 5
    seconds SIGTERM, after 5 more SIGKILL, and only then :meth:`run` returns.
    """

    def __init__(self, *, argv: list[str] | None = None, noninteractive: bool = False, debug: bool = False) -> None:
        log.verbose = debug
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._descriptions: list[LaunchDescription] = []
        self._processes: list[RunningProcess] = []
        self._leftovers: list[RunningProcess] = []
        """Processes that have ended, while something they started has not. Where they are started again it may go on
        until the launch ends, since it may do their work."""
        self._work: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.Task[None]] = set()
        self._status = 0

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        self._descriptions.append(launch_description)

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """0, or 1 where the description could not be carried out or a signal other than Ctrl-C ended it."""
        return asyncio.run(self._run(shutdown_when_idle))

    async def _run(self, shutdown_when_idle: bool) -> int:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._on_sigint)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            loop.add_signal_handler(number, self._on_signal, number)
        self.context.runtime = Runtime(start=self._start, later=self._later, emit=self._emit)
        self._ended = asyncio.Event()
        if (directory := log.open()) is not None:
            log.info("launch", f"All log files can be found below {directory}")
        log.info("launch", "Default logging verbosity is set to INFO")
        try:
            with self._reporting():
                for description in self._descriptions:
                    self._visit(description)
            while True:
                if self._work:
                    await asyncio.wait(self._work, return_when=asyncio.FIRST_COMPLETED)
                elif shutdown_when_idle or self.context.is_shutdown:
                    break
                else:
                    await self._ended.wait()
            self._shut_down(Shutdown(reason="idle"))
            await self._end_leftovers()
        finally:
            for process in (*self._processes, *self._leftovers):
                process.kill_group()
            self.context.remove_temporary_files()
            log.close()
        return self._status

    async def _end_leftovers(self) -> None:
        """What processes started themselves and left behind was asked to end; it has a second to follow."""
        for _ in range(20):
            if not any(process.group_lives() for process in self._leftovers):
                break
            await asyncio.sleep(0.05)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """What fails inside is reported and ends the launch."""
        try:
            yield
        except Exception as error:
            log.debug("launch", traceback.format_exc())
            message = f"Caught exception in launch (see debug for traceback): {error}"
            log.error("launch", message)
            self._status = 1
            self._shut_down(Shutdown(reason=message))

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        if not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"{entity!r} cannot stand in a launch description")
        for child in entity.visit(self.context) or ():
            self._visit(child)

    def _emit(self, event: Event) -> None:
        if isinstance(event, Shutdown):
            self._shut_down(event)
        else:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        outer, self.context.event = self.context.event, event
        try:
            for handler in list(self.context.handlers):
                if handler.matches(event):
                    with self._reporting():
                        for entity in handler.handle(event, self.context):
                            self._visit(entity)
        finally:
            self.context.event = outer

    def _shut_down(self, event: Shutdown) -> None:
        if self.context.is_shutdown:
            return
        log.debug("launch", f"shutting down: {event.reason}")
        self.context.is_shutdown = True
        for timer in self._timers:
            timer.cancel()
        self._handle(event)
        for process in self._processes:
            process.stop()
        for process in self._leftovers:
            process.end_group()
        self._ended.set()

    def _on_sigint(self) -> None:
        if self.context.is_shutdown:
            log.warning("launch", "user interrupted with ctrl-c (SIGINT) again, ignoring...")
            return
        log.warning("launch", "user interrupted with ctrl-c (SIGINT)")
        self._shut_down(Shutdown(reason="ctrl-c (SIGINT)", due_to_sigint=True))

    def _on_signal(self, number: signal.Signals) -> None:
        if not self.context.is_shutdown:
            log.warning("launch", f"ended with {signal.Signals(number).name}")
            self._status = 1
            self._shut_down(Shutdown(reason=signal.Signals(number).name))

    def _track(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        with self._reporting():
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _start(self, action: ExecuteProcess, spec: ProcessSpec) -> None:
        self._track(self._supervise(action, spec))

    async def _supervise(self, action: ExecuteProcess, spec: ProcessSpec) -> None:
        """Starts the process, waits for its end, and starts it again where that is wanted."""
        retries = 0
        while not self.context.is_shutdown:
            try:
                process = RunningProcess(spec)
            except OSError as error:
                log.error(spec.name, f"cannot be started: {error}")
                self._status = 1
                return
            self._processes.append(process)
            log.info(spec.name, f"process started with pid [{process.pid}]")
            self._handle(ProcessStarted(action=action, name=spec.name, cmd=spec.cmd, pid=process.pid))
            if self.context.is_shutdown:
                process.stop()
            status = await process.wait()
            if status == 0:
                log.info(spec.name, f"process has finished cleanly [pid {process.pid}]")
            else:
                died = f"process has died [pid {process.pid}, exit code {status}, cmd '{spec.command_line}']."
                log.error(spec.name, died)
            self._processes.remove(process)
            if process.group_lives():
                self._leftovers.append(process)
            exited = ProcessExited(returncode=status, action=action, name=spec.name, cmd=spec.cmd, pid=process.pid)
            self._handle(exited)
            again = action.respawn and not 0 <= action.respawn_max_retries <= retries
            if not again or self.context.is_shutdown:
                process.end_group()
                return
            retries += 1
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended.wait(), action.respawn_delay)

    def _later(self, seconds: float, entities: list[LaunchDescriptionEntity]) -> None:
        files = list(self.context.launch_files)

        async def fire() -> None:
            await asyncio.sleep(seconds)
            if not self.context.is_shutdown:
                outer, self.context.launch_files = self.context.launch_files, files
                with self._reporting():
                    for entity in entities:
                        self._visit(entity)
                self.context.launch_files = outer

        timer = self._track(fire())
        self._timers.add(timer)
        timer.add_done_callback(self._timers.discard)
