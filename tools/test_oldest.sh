#!/usr/bin/env bash
# ./run test --oldest [pytest ...]: the tests with the oldest supported libraries, in an imitation of a machine with
# Ubuntu 22.04 and ROS 2 Humble (tools/imitate_ros.sh) and a copy of this checkout, both kept in .face_af/oldest.
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
if [ $# -gt 0 ]; then ./run setup && exec ./run test "$@"; fi
./run setup
exec ./run test
