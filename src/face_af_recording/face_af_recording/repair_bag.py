"""``repair_bag``: makes a bag readable whose recorder was killed or whose disk lost power."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from face_af_common.files import told

from .bag.bag_folder import RecordingError
from .bag.repair import repair_bag


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="repair_bag",
        description="Completes a bag whose recorder was cut off, in place: damaged bytes at the end of its MCAP files"
        " are removed, index and metadata.yaml written anew.",
    )
    parser.add_argument("bag", type=Path, help="a bag's folder, or one .mcap file")
    try:
        for line in repair_bag(parser.parse_args(argv).bag):
            print(line)
    except RecordingError as error:
        print(f"repair_bag: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"repair_bag: {told(error)}", file=sys.stderr)
        return 1
    return 0
