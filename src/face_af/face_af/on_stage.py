"""``./run target NAME``, ``./run pause``, ``./run resume``: what is needed during a show, without a ROS word."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

TIMEOUT_S = 10.0
"""Seconds to wait for an answer: discovery takes 1 to 3 on a busy machine."""


class NotRunning(Exception):
    """Nobody answers; the text says what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 where it was done, 1 where it was refused, 2 where nobody answered."""
    parser = argparse.ArgumentParser(prog="./run", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("--namespace", default="face_af", help="that of the launch, face_af unless told")
    commands = parser.add_subparsers(dest="command", required=True)
    target = commands.add_parser("target", help="choose the person to focus on, from the next frame on")
    who = target.add_mutually_exclusive_group(required=True)
    who.add_argument("name", nargs="?", help="somebody who is enrolled")
    who.add_argument("--nobody", action="store_true", help="focus on nobody: no button is pressed")
    commands.add_parser("pause", help="press no button until resume; everything else goes on")
    commands.add_parser("resume", help="go on pressing buttons")
    options = parser.parse_args(argv)

    from std_srvs.srv import Trigger

    from face_af_msgs.srv import SetTarget

    try:
        if options.command == "target":
            request = SetTarget.Request(identity="" if options.nobody else options.name)
            answer = call(SetTarget, f"/{options.namespace}/set_target", request)
        else:
            answer = call(Trigger, f"/{options.namespace}/{options.command}", Trigger.Request())
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 2
    print(answer.message, file=sys.stdout if answer.success else sys.stderr)
    return 0 if answer.success else 1


def call(kind: type, name: str, request: Any, timeout_s: float = TIMEOUT_S) -> Any:
    """One call of a service. Raises :class:`NotRunning`."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    try:
        node = rclpy.create_node(f"on_stage_{os.getpid()}", context=context, use_global_arguments=False)
        client = node.create_client(kind, name)
        started = time.monotonic()
        if not client.wait_for_service(timeout_s):
            raise NotRunning(
                f"nobody answers to {name} on this machine: start face_af first "
                "(./run ros2 launch face_af bringup.launch.py …), or name its --namespace"
            )
        future = client.call_async(request)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        executor.spin_until_future_complete(future, max(1.0, timeout_s - (time.monotonic() - started)))
        if not future.done():
            raise NotRunning(f"{name} has not answered for {timeout_s:g} s; `./run ros2 run face_af health` says why")
        return future.result()
    finally:
        rclpy.shutdown(context=context)


if __name__ == "__main__":
    sys.exit(main())
