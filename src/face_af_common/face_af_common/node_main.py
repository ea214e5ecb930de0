"""The main function of every node: start, spin, one clear line for a user's mistake, quiet end on Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from .hearing import DeafError
from .params import ParamError
from .standby import turn


class StartError(Exception):
    """The node cannot start, and waiting would not help; the text says why and what to do."""


def run_node(
    make: Callable[[], Node], args: Sequence[str] | None = None, prepare: Callable[[], object] | None = None
) -> int:
    """Makes the node and spins it until it is shut down; returns the exit status.

    A :class:`ParamError` or :class:`StartError` ends it with one line and status 2, a :class:`DeafError`
    with one line and status 3. A node that has a
    ``close`` method gets it called, whatever ends it. ``prepare`` is what takes time and needs no node: a
    standby (:mod:`.standby`) does it ahead.
    """
    interrupt = _Interrupt()
    threading.excepthook = _in_thread
    sys.unraisablehook = _in_destructor
    try:
        if prepare is not None:
            prepare()
        with turn():
            return _run(make, args, interrupt)
    except KeyboardInterrupt:
        return 0


def _in_thread(failed: threading.ExceptHookArgs) -> None:
    """Prints what ended a thread, unless it published just when the graph was shut down."""
    if rclpy.ok() or type(failed.exc_value).__name__ not in ("RCLError", "InvalidHandle"):
        threading.__excepthook__(failed)


def _in_destructor(failed: sys.UnraisableHookArgs) -> None:
    """Prints what went wrong in a destructor, unless a shutdown left something of rclpy's half made."""
    if rclpy.ok() or not (getattr(failed.object, "__module__", None) or "").startswith("rclpy"):
        sys.__unraisablehook__(failed)


class _Interrupt:
    """Ctrl-C, as an exception only while a node is made.

    From then on rclpy's own handler ends the spinning. An exception besides would come anywhere: in the middle
    of the conversion of a message, which makes another error of it, or, at the second Ctrl-C (the terminal's and
    launch's), in the middle of closing a device. Must be made before ``rclpy.init``, whose handler calls this one.
    """

    def __init__(self) -> None:
        self.off = False
        signal.signal(signal.SIGINT, self._raise)

    def _raise(self, *_: object) -> None:
        if not self.off:
            raise KeyboardInterrupt


def _run(make: Callable[[], Node], args: Sequence[str] | None, interrupt: _Interrupt) -> int:
    node: Node | None = None
    try:
        rclpy.init(args=args)
        # rclpy.spin makes one, which fails when Ctrl-C comes just before it
        executor = SingleThreadedExecutor()
        node = make()
        executor.add_node(node)
        interrupt.off = True
        executor.spin()
        return 0
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except (ParamError, StartError) as error:
        print(f"[FATAL] {error}", file=sys.stderr, flush=True)
        return 2
    except DeafError as error:
        print(f"[FATAL] {error}", file=sys.stderr, flush=True)
        return 3
    except Exception as error:
        # rclpy has no error type of its own for these two
        if rclpy.ok() or "context" not in str(error):
            if type(error).__name__ in ("UnknownROSArgsError", "RCLError", "RCLInvalidROSArgsError"):
                print(f"[FATAL] {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
                return 2
            raise
        return 0
    finally:
        interrupt.off = True
        if node is not None:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            node.destroy_node()
        rclpy.try_shutdown()
