"""``python -m face_af_sim.demo``; Ctrl-C is quiet from the first import on."""

import sys

from face_af_common.tools import run_tool

PATIENCE_S = 20.0
"""After Ctrl-C there is a graph to end and a report to write."""

if __name__ == "__main__":
    sys.argv[0] = "demo"
    sys.exit(run_tool("face_af_sim.demo.cli", PATIENCE_S))
