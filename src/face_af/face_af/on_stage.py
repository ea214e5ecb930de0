"""``./run target NAME | pause | resume | people``: what is needed during a show, without a ROS word."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from face_af_common.asking import NotRunning, call, find


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 0 where it was done, 1 where it was refused, 2 where nobody answered."""
    parser = argparse.ArgumentParser(prog="./run", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("--namespace", help="that of the launch; that of the graph that runs here unless told")
    commands = parser.add_subparsers(dest="command", required=True)
    target = commands.add_parser("target", help="choose the person to focus on, from the next frame on")
    who = target.add_mutually_exclusive_group(required=True)
    who.add_argument("name", nargs="?", help="a person who is enrolled")
    who.add_argument("--nobody", action="store_true", help="focus on nobody: no button is pressed")
    commands.add_parser("pause", help="press no button until resume; everything else goes on")
    commands.add_parser("resume", help="go on pressing buttons")
    commands.add_parser("people", help="who is enrolled, and who looks like whom")
    options = parser.parse_args(argv)

    from std_srvs.srv import Trigger

    from face_af_msgs.srv import ListPeople, SetTarget

    namespace = find(options.namespace)
    try:
        if options.command == "target":
            request = SetTarget.Request(identity="" if options.nobody else options.name)
            answer = call(SetTarget, f"{namespace}/set_target", request)
        elif options.command == "people":
            answer = call(ListPeople, f"{namespace}/list_people", ListPeople.Request())
            answer.message = answer.message or table(answer.people)
        else:
            answer = call(Trigger, f"{namespace}/{options.command}", Trigger.Request())
    except NotRunning as error:
        print(error, file=sys.stderr)
        return 2
    print(answer.message, file=sys.stdout if answer.success else sys.stderr)
    return 0 if answer.success else 1


def table(people: Sequence[Any]) -> str:
    """One line for each person of ``list_people``."""
    if not people:
        return "nobody is enrolled"
    width = max(len(person.identity) for person in people)
    lines = []
    for person in people:
        nearest = f", {person.nearest_similarity:.2f} like {person.nearest}" if person.nearest else ""
        doubt = " (too alike to be told apart)" if nearest and person.nearest_similarity >= person.threshold else ""
        lines.append(f"{person.identity:{width}}  {person.samples} faces{nearest}{doubt}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
