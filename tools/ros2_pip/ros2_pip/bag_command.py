"""``ros2 bag``."""

from __future__ import annotations

import argparse

from .bag_info import info
from .bag_play import play
from .bag_record import record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("record", help="record topics until Ctrl-C")
    verb.add_argument("topics", nargs="*", help="names of topics")
    verb.add_argument("--topics", nargs="+", dest="more_topics", default=[], help="names of topics")
    verb.add_argument("-a", "--all", "--all-topics", action="store_true", help="all topics, later ones too")
    verb.add_argument("-e", "--regex", help="topics whose whole name matches")
    verb.add_argument("-o", "--output", help="folder to make (default: rosbag2_ and the time)")
    verb.add_argument("-s", "--storage", choices=("mcap", "sqlite3"), default="mcap")
    verb.add_argument("--use-sim-time", action="store_true", help="stamp messages with /clock")
    verb.set_defaults(main=record)
    verb = verbs.add_parser("play", help="publish what was recorded")
    verb.add_argument("bag_path")
    verb.add_argument("-r", "--rate", type=float, default=1.0, help="so many times as fast")
    verb.add_argument("-l", "--loop", action="store_true", help="again and again")
    verb.add_argument("-d", "--delay", type=float, default=0.0, help="seconds to wait before")
    verb.add_argument("--start-offset", type=float, default=0.0, help="seconds of the recording to leave out")
    verb.add_argument("--topics", nargs="+", default=[], help="these topics only")
    verb.add_argument("-m", "--remap", nargs="+", default=[], metavar="OLD:=NEW", help="other names for topics")
    verb.add_argument("--clock", type=float, nargs="?", const=40.0, metavar="HZ", help="publish /clock (default: 40)")
    verb.add_argument("-p", "--start-paused", action="store_true", help="wait for the space bar (needs a terminal)")
    verb.set_defaults(main=play)
    verb = verbs.add_parser("info", help="what is in a recording")
    verb.add_argument("bag_path")
    verb.set_defaults(main=info)
