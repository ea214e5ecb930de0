"""``ros2 run face_af_outputs test``: does one action of the file now, to see that it works."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from face_af_common.asking import NotRunning, call, find

from .action_file import ActionFileError, Message, load
from .events import Event
from .gpio import GpiodLine, TerminalLine
from .house import House
from .mqtt import Broker, MqttError, MqttLink
from .outbox import Outbox
from .performer import Hands, Performer
from .workers import ActionError

WAIT_S = 30.0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="test", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("action", nargs="?", help="its name in the file; without one the actions are listed")
    parser.add_argument("--actions", type=Path, required=True, metavar="FILE", help="the file of actions")
    parser.add_argument("--person", default="", help="who the event is about")
    parser.add_argument("--gpio", choices=("gpiod", "terminal"), default="gpiod", help="terminal: lights to look at")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--namespace", help="for recipes and the shutter: that of the launch")
    parser.add_argument("--host", default="", help="the broker; without it messages are refused")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username", default="")
    parser.add_argument("--password-file", default="")
    parser.add_argument("--tls", action="store_true", help="encrypt, with the system's authorities")
    parser.add_argument("--ca-file", default="", help="TLS with this authority")
    options = parser.parse_args(argv)
    try:
        file = load(options.actions)
        if not options.action:
            for action in file.actions:
                print(f"{action.name}: {', '.join(when.event for when in action.when)} -> {action.do}")
            return 0
        return _try(options, file.action(options.action).name)
    except (ActionFileError, MqttError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _try(options: argparse.Namespace, name: str) -> int:
    file = load(options.actions)
    action = file.action(name)
    said: list[str] = []

    def say(line: str) -> None:
        if line:
            said.append(line)
            print(line, file=sys.stderr, flush=True)

    outbox = house = link = None
    if options.host and any(isinstance(do, Message) for do in action.do):
        outbox = Outbox()
        house = House(outbox, "test", discovery=False)
        broker = Broker(
            options.host,
            options.port,
            "face_af_test",
            options.username,
            options.password_file,
            options.tls,
            options.ca_file,
        )
        link = MqttLink(broker, outbox, house.availability, say)
        link.start()
    performer = Performer(
        file, outbox, house, hands(options.namespace), say,
        make_line=TerminalLine if options.gpio == "terminal" else GpiodLine, dry_run=options.dry_run,
    )  # fmt: skip
    try:
        performer.perform(action, Event(action.when[0].event, time.time(), options.person))
        done = performer.wait(WAIT_S)
        if outbox is not None:
            end = time.monotonic() + WAIT_S
            while not outbox.idle and not said and time.monotonic() < end:
                time.sleep(0.02)
            done = done and outbox.idle
    finally:
        performer.close()
        if link is not None:
            link.close()
    good = done and not performer.failed and not (said and not options.dry_run)
    print(f"{name}: {'done' if good else 'failed'}")
    return 0 if good else 1


def hands(namespace: str | None) -> Hands:
    """Recipes and the shutter, through the graph that runs on this machine."""

    def ask(name: str, kind: str, **fields: object) -> None:
        from face_af_msgs import srv

        try:
            answer = call(getattr(srv, kind), f"{find(namespace)}/{name}", getattr(srv, kind).Request(**fields))
        except NotRunning as error:
            raise ActionError(str(error)) from error
        if not answer.success:
            raise ActionError(f"{name}: {answer.message}")

    return Hands(
        lambda recipe: ask("set_recipe", "SetRecipe", recipe=recipe),
        lambda count, gap: ask("shutter", "Shutter", count=count, gap=gap),
    )
