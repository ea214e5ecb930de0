"""``ros2 run face_af parameters``: the parameter file and the tables of the documentation, from the code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from face_af_common.node_params import NODES
from face_af_common.param_files import check_file, to_markdown, to_yaml
from face_af_common.params import ParamError


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="parameters", description="Prints every parameter of every node, or checks a parameter file."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--yaml", action="store_true", help="a ROS parameter file with every default (config/face_af.yaml)"
    )
    what.add_argument("--markdown", action="store_true", help="one table a node, for the documentation")
    what.add_argument("--check", metavar="FILE", help="says what is wrong with a parameter file")
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="only these nodes")
    options = parser.parse_args(argv)
    unknown = [node for node in options.nodes if node not in NODES]
    if unknown:
        print(f"there is no node {unknown[0]}; there are {', '.join(NODES)}", file=sys.stderr)
        return 2
    chosen = {node: NODES[node] for node in options.nodes or NODES}
    if options.check:
        try:
            check_file(options.check, NODES)
        except ParamError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"{options.check}: every name and value is right")
    elif options.yaml:
        sys.stdout.write(to_yaml(chosen))
    else:
        print("# Parameters\n\nWritten from the code by `./run ros2 run face_af parameters --markdown`.\n")
        sys.stdout.write("\n".join(f"## {node}\n\n{to_markdown(kind)}" for node, kind in chosen.items()))
    return 0
