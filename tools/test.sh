#!/usr/bin/env bash
# Style, types, tests: what CI runs. Called by ./run test in the project's environment.
set -uo pipefail
if [ $# -gt 0 ]; then
    exec python -m pytest "$@"
fi
# photographs for the tests of the whole loop; without a network those tests skip
ros2 run face_af_sim fetch_samples >/dev/null || true
status=0
if [ -n "${FACE_AF_WHEELS:-}" ]; then
    ruff check . || status=1
    ruff format --check . || status=1
    python -m mypy || status=1
else
    echo "style and types are checked where ./run uses PyPI's wheels, without a sourced ROS 2"
fi
parallel=()
if python -c 'import xdist' 2>/dev/null; then parallel=(-n "${FACE_AF_TEST_JOBS:-2}"); fi
# a later start of the same: long tests do not end up behind one another
if python -c 'import sys, xdist; sys.exit(tuple(map(int, xdist.__version__.split(".")[:2])) < (3, 2))' 2>/dev/null; then
    parallel+=(--dist worksteal)
fi
python -m pytest "${parallel[@]}" || status=1
exit $status
