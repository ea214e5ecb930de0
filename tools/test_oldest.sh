#!/usr/bin/env bash
# ./run test --oldest [--logic] [pytest ...]: the tests with the oldest supported libraries, in an imitation of a machine
# with Ubuntu 22.04 and ROS 2 Humble (tools/imitate_ros.sh) and a copy of this checkout, both kept in .face_af/oldest.
# --logic: only the tests of the packages whose logic knows no ROS, without building the workspace.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

home=$PWD/.face_af/oldest
workspace=$home/workspace
mkdir -p "$workspace"
tools/imitate_ros.sh jammy "$home/machine"

# the files as they are now, committed or not; what was built from them stays
find "$workspace" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .face_af ! -name build ! -name install ! -name log -exec rm -rf {} +
if git rev-parse --git-dir >/dev/null 2>&1; then files=(git ls-files -z -co --exclude-standard); else files=(find . -path ./.face_af -prune -o -type f -print0 -o -type l -print0); fi
"${files[@]}" | while IFS= read -r -d '' file; do [ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\0' "$file"; done |
    tar --null -T - -c | tar -x -C "$workspace"

# as in a new terminal of that machine
unset FACE_AF_WHEELS AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH FACE_AF_PYTHON
cd "$workspace"
set +u
source "$home/machine/setup.bash"
set -u
if [ "${1:-}" = --logic ]; then
    shift
    source tools/setup.sh
    set_up_packages
    enter_ros
    tests=()
    for package in crops gallery inference overlay people perception speaker steering; do tests+=("src/face_af_$package/test"); done
    PYTHONPATH=$(printf '%s:' "$PWD"/src/*)$PYTHONPATH
    export PYTHONPATH
    exec python -m pytest -n "${FACE_AF_TEST_JOBS:-2}" "${tests[@]}" "$@"
fi
./run setup
exec ./run test "$@"
