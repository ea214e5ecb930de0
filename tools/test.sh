#!/usr/bin/env bash
# Style, types, tests: what CI runs. Called by ./run test in the project's environment.
set -uo pipefail
if [ $# -gt 0 ]; then
    exec python -m pytest "$@"
fi
# photographs for the tests of the whole loop; without a network those tests skip
ros2 run face_af_sim fetch_samples >/dev/null || true
status=0
ruff check . || status=1
ruff format --check . || status=1
python -m mypy || status=1
python -m pytest -n "${FACE_AF_TEST_JOBS:-2}" --dist worksteal || status=1
exit $status
