"""The options of tools that replay a recording: which one, with which parameters and labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from . import settings
from .recorded import usable
from .source import Source


def add_source_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bag", type=Path, help="a rosbag2 folder, an .mcap or .db3 file, or a video")
    parser.add_argument("--topic", default="", help="topic of the images, where the bag has several")
    parser.add_argument("--params", type=Path, help="parameter file; wins over the recorded parameters")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NODE.PARAM=VALUE", help="one parameter; repeatable"
    )
    parser.add_argument("--truth", type=Path, metavar="CSV", help="labels: frame, name, x, y, width, height")


def parameters(source: Source, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """As recorded, then from the file, then single ones. Raises ``ParamError``."""
    return settings.merged(
        usable(source.recorded_parameters()),
        settings.from_file(options.params) if options.params else {},
        settings.assignments(options.set),
    )
