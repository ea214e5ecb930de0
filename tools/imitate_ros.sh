#!/usr/bin/env bash
# tools/imitate_ros.sh jammy|noble DIR [ROS_PACKAGES]
#
# Makes an IMITATION of a machine with ROS 2 in DIR, for tests and for contributors who have no such machine:
# the Python of that Ubuntu with the library versions of its apt as the system's Python, and PyPI's wheels of rclpy
# (Kilted's, whatever the distribution) as the sourced ROS 2. It is not the real thing: what it cannot show is said in
# CONTRIBUTING.md. Enter it with `source DIR/setup.bash`.
#
# ROS_PACKAGES is a folder with the sources of ROS packages that the wheels leave out (launch, launch_ros, ros2cli ...):
# they are built into the imitation and are its `ros2` then. Without it, tools/ros2_pip is.
# The interpreter comes from FACE_AF_PYTHON, pyenv, or the PATH; exit status 77 where there is none of that version.
set -euo pipefail

fail() { echo "imitate_ros: $*" >&2; exit 1; }

release=${1:-} machine=${2:-} extra=${3:-}
case $release in
    jammy) version=3.10 distro=humble ;;
    noble) version=3.12 distro=jazzy ;;
    *) fail "usage: tools/imitate_ros.sh jammy|noble DIR [ROS_PACKAGES]" ;;
esac
[ -n "$machine" ] || fail "name the folder to make: tools/imitate_ros.sh $release DIR"
[ -z "$extra" ] || extra=$(realpath -e "$extra" 2>/dev/null) || fail "there is no folder '$3'"
mkdir -p "$machine"
machine=$(cd "$machine" && pwd -P)
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

is_wanted() { [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = $version ]; }

find_python() {
    local candidate
    for candidate in "${FACE_AF_PYTHON:-}" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python python$version python3; do
        if [ -n "$candidate" ] && is_wanted "$candidate"; then
            "$candidate" -c 'import sys; print(sys.base_prefix)'
            return
        fi
    done
    echo "imitate_ros: no CPython $version here: name one with FACE_AF_PYTHON=/path/to/python$version" >&2
    exit 77
}

# What this machine is made of; the same again is left as it is.
made_of() { sha256sum requirements/$release.txt requirements/lock.txt tools/imitate_ros.sh tools/patch_wheels.py; [ -z "$extra" ] || ls -d "$extra"/*; }
if [ "$(cat "$machine/made_of" 2>/dev/null)" = "$(made_of)" ]; then
    if [ -z "$extra" ]; then cp -r tools/ros2_pip "$machine/"; fi
    exit 0
fi
[ -z "$(ls -A "$machine")" ] || [ -e "$machine/imitation" ] || fail "$machine is not empty and no imitation of mine"
rm -rf "${machine:?}"/*
echo "An imitation of a machine with ROS 2, made by tools/imitate_ros.sh $release." >"$machine/imitation"

prefix=$(find_python) || exit $?
# a Python of its own, not a virtual environment: those are made from it
mkdir "$machine/usr"
tar -C "$prefix" -c --exclude=lib/python$version/test --exclude='*.a' --exclude='lib/python*/site-packages/*' . | tar -C "$machine/usr" -x
python=$machine/usr/bin/python$version
ln -sf python$version "$machine/usr/bin/python3"
rm -f "$machine"/usr/bin/{pip,idle,pydoc,2to3}* "$machine/usr/lib/python$version/EXTERNALLY-MANAGED"

tools=$machine/tools
"$python" -m venv "$tools"
"$tools/bin/python" -m pip install --disable-pip-version-check -q uv==0.13.8
install() { "$tools/bin/uv" pip install -q --python "$python" --system "$@"; }

# PyYAML 5.4 does not build in a recent environment: it is built here, without Cython
install -r requirements/$release.txt --no-build-isolation-package pyyaml
grep -E '^(ros-|catkin-pkg|colcon-|cmake==|docutils|distlib)' requirements/lock.txt >"$machine/ros.txt"
install --no-deps -r "$machine/ros.txt"
"$python" tools/patch_wheels.py
# as on Ubuntu, whose OpenCV has no Python metadata
rm -rf "$machine/usr/lib/python$version"/site-packages/opencv_python-*.dist-info

cat >"$machine/setup.bash" <<EOF
# an imitation of /opt/ros/$distro/setup.bash
export ROS_DISTRO=$distro ROS_VERSION=2 ROS_PYTHON_VERSION=3 _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 PYTHONPATH=
export PATH=$machine/usr/bin:\$PATH AMENT_PREFIX_PATH=$machine/usr CMAKE_PREFIX_PATH=$machine/usr
LD_LIBRARY_PATH=$machine/usr/lib
for folder in $machine/usr/lib/python$version/site-packages/ros_*.libs; do LD_LIBRARY_PATH+=:\$folder; done
export LD_LIBRARY_PATH
[ ! -e $machine/ros/local_setup.bash ] || source $machine/ros/local_setup.bash
EOF
if [ -n "$extra" ]; then
    set +u
    source "$machine/setup.bash"
    set -u
    (cd "$machine" && colcon --log-base "$machine/log" build --merge-install --install-base "$machine/ros" \
        --build-base "$machine/build" --base-paths "$extra" --cmake-args -DBUILD_TESTING=OFF) >"$machine/build.log" 2>&1 ||
        fail "the packages in $extra do not build: see $machine/build.log"
else
    cp -r tools/ros2_pip "$machine/ros2_pip"
    # follows the checkout at the next call
    install --no-deps --config-settings editable_mode=compat -e "$machine/ros2_pip"
fi
made_of >"$machine/made_of"
echo "an imitation of Ubuntu ($release) with ROS 2 ($distro): source $machine/setup.bash"
