"""The main function of every node: start, spin, one clear line for a user's mistake, quiet end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from .hearing import DeafError
from .params import ParamError
from .standby import TURN, turn

_DEAF = 3
"""Exit status of a node that must be started again; 2 means that starting again is of no use."""
_KEEP_PORTS_S = 10.0
"""A deaf node's ports stay taken for so long. Its standby would get the same ones, and some of those who send to it
would go on sending to what they know by that number, or remove it, when they notice that it has gone."""


class StartError(Exception):
    """The node cannot start, and waiting would not help; the text says why and what to do."""


def run_node(
    make: Callable[[], Node], args: Sequence[str] | None = None, prepare: Callable[[], object] | None = None
) -> int:
    """Makes the node and spins it until it is shut down; returns the exit status.

    A :class:`ParamError` or :class:`StartError` ends it with one line and status 2, a :class:`DeafError`
    with one line and status 3, some seconds after its standby has gone on. A node that has a
    ``close`` method gets it called, whatever ends it. ``prepare`` is what takes time and needs no node: a
    standby (:mod:`.standby`) does it ahead.
    """
    interrupt = _Interrupt()
    threading.excepthook = _in_thread
    sys.unraisablehook = _in_destructor
    try:
        if prepare is not None:
            prepare()
        with ExitStack() as afterwards, turn():
            return _run(make, args, interrupt, afterwards)
    except KeyboardInterrupt:
        return 0


def _stand_in(node: Node) -> Node:
    """A hidden node without anything, which keeps what DDS gives up with the last node of a process."""
    name, namespace = f"_{node.get_name()}_deaf", node.get_namespace()
    # with global arguments it would get the name that the launch file gave the process' node
    alone = {"use_global_arguments": False, "enable_rosout": False, "start_parameter_services": False}
    return Node(name, namespace=namespace, **alone)


def _keep_ports(_kept: Node) -> None:
    end = time.monotonic() + _KEEP_PORTS_S
    while rclpy.ok() and time.monotonic() < end:
        time.sleep(0.1)
    rclpy.try_shutdown()


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


def _run(make: Callable[[], Node], args: Sequence[str] | None, interrupt: _Interrupt, afterwards: ExitStack) -> int:
    node: Node | None = None
    keep_ports = False
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
        keep_ports = TURN in os.environ
        print(f"[FATAL] {error}", file=sys.stderr, flush=True)
        return _DEAF
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
        keep_ports = keep_ports and rclpy.ok()
        if node is not None:
            close = getattr(node, "close", None)
            if close is not None:
                close()
            if keep_ports:
                afterwards.callback(_keep_ports, _stand_in(node))
            node.destroy_node()
        if not keep_ports:
            rclpy.try_shutdown()
