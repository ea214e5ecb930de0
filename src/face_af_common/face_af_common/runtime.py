"""Runs nodes: one or several in a process, each with an executor in a thread of its own.

Every way out is bounded. A user's mistake is one line; Ctrl-C is quiet, and devices are closed.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from .leader_lock import LeaderLock
from .live_state import SESSION
from .liveness import Beats
from .params import ParamError
from .ros_context import open_context, shut_down_context
from .services import guard_parameter_services
from .supervisor import END_S, HANDOVER_S, USER_ERROR, end_process, supervise

_TURN_S = 0.5
"""An executor without work turns so often."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
"""SIGALRM is an orphan's: see :mod:`.supervisor`."""
_PR_SET_NAME = 15


class StartError(Exception):
    """The node cannot start, and waiting would not help; the text says why and what to do."""


def run_nodes(nodes: Mapping[str, Callable[[], Node]], args: Sequence[str] | None = None) -> int:
    """Makes the nodes and spins them until they are shut down; returns the exit status.

    ``nodes``: what makes each node, by the name that it gives itself. A :class:`ParamError` or :class:`StartError` ends
    the process with one line and status 2. A node that has a ``close`` method gets it called in its thread, whatever
    ends it; nothing may take longer than :data:`~face_af_common.supervisor.END_S`.

    Under a launch that keeps nodes alive (:data:`~face_af_common.live_state.SESSION`) they run in a supervised child.
    """

    def work(beats: Beats | None) -> int:
        return _Process(nodes, args, beats).run()

    if SESSION in os.environ:
        return supervise(work, list(nodes))
    return work(None)


class _Stop:
    """Like :class:`threading.Event`, but a signal handler may set it: an event's lock would wait for itself there.

    The main thread makes it and waits for it. The kernel may give a signal to any thread; the handler runs in the main
    one, which must be woken for that.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._woken, waking = os.pipe()
        for end in (self._writing, self._woken, waking):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)

    def set(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, b".")

    def is_set(self) -> bool:
        """For any thread; only the main one may empty what wakes it."""
        return bool(select.select([self._reading], [], [], 0.0)[0])

    def wait(self, seconds: float | None = None) -> bool:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            ready = select.select([self._reading, self._woken], [], [], left)[0]
            if self._reading in ready or not ready:
                return bool(ready)
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)


class _Process:
    """One life of the nodes."""

    def __init__(
        self, nodes: Mapping[str, Callable[[], Node]], args: Sequence[str] | None, beats: Beats | None
    ) -> None:
        self._nodes, self._args = nodes, args
        self._beat = beats.beat if beats is not None else lambda executor: None
        self._beat_waiting = beats.wait if beats is not None else lambda: None
        self._stop = _Stop()
        self._making = threading.Lock()
        self._made: set[str] = set()
        """Nodes that may have something to close."""
        self._status = 0

    def run(self) -> int:
        for number in _ENDING:
            signal.signal(number, lambda *_: self._stop.set())
        threading.excepthook = _in_thread
        sys.unraisablehook = _in_destructor
        try:
            open_context(self._args)
            lock = LeaderLock(self._full_names())
        except Exception as error:
            # rclpy has no type of its own for what is wrong with arguments
            if type(error).__name__ not in ("UnknownROSArgsError", "RCLError", "RCLInvalidROSArgsError"):
                raise
            print(f"[FATAL] {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
            return USER_ERROR
        if lock.wait(self._waited, _tell_passive):
            self._spin()
        shut_down_context()
        lock.release()
        faulthandler.cancel_dump_traceback_later()
        return self._status

    def _full_names(self) -> list[str]:
        """What the nodes are called in the graph, by a short-lived one that is remapped as they will be."""
        domain = rclpy.get_default_context().get_domain_id()
        names = []
        for name in self._nodes:
            # hidden, because another node may work under that name
            probe = Node(name, enable_rosout=False, start_parameter_services=False)
            names.append(f"{probe.get_fully_qualified_name()} in ROS domain {domain}")
            probe.destroy_node()
        return names

    def _waited(self, seconds: float) -> bool:
        self._beat_waiting()
        return self._stop.wait(seconds)

    def _spin(self) -> None:
        threads = [
            threading.Thread(target=self._live, args=(index, name), name=name, daemon=True)
            for index, name in enumerate(self._nodes)
        ]
        for thread in threads:
            thread.start()
        self._stop.wait()
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)  # once is enough; whoever is impatient kills
        shut_down_context()  # wakes the executors
        deadline = time.monotonic() + END_S
        # for what holds Python's lock, or hangs in a destructor
        faulthandler.dump_traceback_later(END_S + 1.0, exit=True)
        for thread in threads:
            # a node that is just being made has nothing to close
            thread.join(max(deadline - time.monotonic(), 0.0) if thread.name in self._made else 0.2)
        late = [thread.name for thread in threads if thread.is_alive()]
        unclosed = self._made.intersection(late)
        if unclosed:
            print(
                f"[WARN] {' and '.join(sorted(unclosed))}: not closed within {END_S:g} s; ended hard", file=sys.stderr
            )
        if late:
            end_process(1 if unclosed else self._status)

    def _live(self, index: int, name: str) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15])  # of this thread and those that it starts, for top
        node: Node | None = None
        try:
            with self._making:  # rcl's registry of /rosout publishers is not made for threads
                if self._stop.is_set():
                    return
                node = self._nodes[name]()
                self._made.add(name)
                guard_parameter_services(node)
            executor = SingleThreadedExecutor()
            executor.add_node(node)
            while rclpy.ok() and not self._stop.is_set():
                executor.spin_once(timeout_sec=_TURN_S)
                self._beat(index)
        except ExternalShutdownException:
            pass
        except Exception as error:
            self._failed(error)
        finally:
            if node is not None:
                _end(node)
            self._stop.set()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, (ParamError, StartError)):
            print(f"[FATAL] {error}", file=sys.stderr, flush=True)
            self._status = USER_ERROR
        elif rclpy.ok():
            traceback.print_exception(error)
            self._status = 1


def _end(node: Node) -> None:
    close = getattr(node, "close", None)
    try:
        if close is not None:
            close()
    finally:
        node.destroy_node()


def _tell_passive(name: str) -> None:
    print(
        f"[WARN] {name} on this machine is there already: this one does nothing until that has ended, "
        f"{HANDOVER_S:g} s from now at most if only its supervisor was killed. To run both, give one another namespace "
        "(namespace:=NAME) or another ROS_DOMAIN_ID",
        file=sys.stderr,
        flush=True,
    )


def _in_thread(failed: threading.ExceptHookArgs) -> None:
    """Prints what ended a thread, unless it published just when the graph was shut down."""
    if rclpy.ok() or type(failed.exc_value).__name__ not in ("RCLError", "InvalidHandle"):
        threading.__excepthook__(failed)


def _in_destructor(failed: sys.UnraisableHookArgs) -> None:
    """Prints what went wrong where nobody could catch it, unless it only belongs to the end.

    That is what a shutdown left half made in rclpy, and Python's report of a signal that another thread took just
    before it began to be ignored ("Signal 2 ignored due to race condition").
    """
    late_signal = isinstance(failed.exc_value, OSError) and "ignored due to race condition" in str(failed.exc_value)
    half_made = not rclpy.ok() and (getattr(failed.object, "__module__", None) or "").startswith("rclpy")
    if not late_signal and not half_made:
        sys.__unraisablehook__(failed)
