"""Opens and shuts down rclpy's default context without its signal handlers: Ctrl-C is answered by whoever opens it."""

from __future__ import annotations

from collections.abc import Sequence

import rclpy
from rclpy.signals import SignalHandlerOptions

from .ros_logs import find_log_folder


def open_context(args: Sequence[str] | None = None) -> None:
    """``args``: like :func:`rclpy.init`'s; raises what that raises for arguments that are wrong."""
    find_log_folder()
    rclpy.init(args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)


def shut_down_context() -> None:
    """Ends the context if it is open, and wakes its executors.

    rclpy would take its handlers out again, installed or not: for an instant SIGINT and SIGTERM have their default
    (``unregister_sigint_signal_handler`` in rclpy's ``signal_handler.cpp``). A second Ctrl-C just then ended the
    process with its devices open.
    """
    rclpy.try_shutdown(uninstall_handlers=False)
