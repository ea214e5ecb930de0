"""``./run`` explains in one line what is missing; nothing is downloaded here."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
TOOLS = (
    "bash sh env cat cut awk df find sort sha256sum grep tail sleep readlink dirname basename mkdir rm ln flock uname"
    " ls sed tr paste stat id tee touch"
).split()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy with the script and an empty workspace, and a PATH with nothing but the basic tools."""
    top = tmp_path / "project"
    (top / "tools/ros2_pip").mkdir(parents=True)
    for folder in ("src/face_af_overlay/face_af_overlay", "launch", "config", "models", "requirements", "benchmarks"):
        (top / folder).mkdir(parents=True)
    for name in (
        "run",
        "tools/setup.sh",
        "tools/steps.sh",
        "tools/system_python.py",
        "tools/patch_wheels.py",
        "tools/python_for_setup.sh",
        "requirements/lock.txt",
        "requirements/nodeps.txt",
    ):
        shutil.copy(TOP / name, top / name)
    (top / "src/package.xml").touch()
    for name in ("with_ros.txt", "embedded_models.txt"):
        (top / "requirements" / name).touch()
    (top / "benchmarks/waltz.py").write_text("def main() -> int: ...\n")
    (top / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (top / "bin" / tool).symlink_to(found)
    return top


def stub(project: Path, name: str, script: str) -> None:
    path = project / "bin" / name
    path.unlink(missing_ok=True)  # a link to the machine's own tool must not be written through
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "run"), *arguments],
        env={"PATH": str(project / "bin"), "HOME": str(project), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line]
    assert done.returncode != 0
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_no_python(project: Path) -> None:
    assert "Python 3.10 to 3.13 is needed" in complaint(run(project, "setup"))


def test_a_python_that_is_too_old(project: Path) -> None:
    stub(project, "python3", 'case "$1" in --version) echo Python 3.8.1;; *) exit 1;; esac')
    assert "found Python 3.8.1" in complaint(run(project, "setup"))


def test_no_venv_module(project: Path) -> None:
    stub(project, "python3", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    assert "sudo apt install python3-venv" in complaint(run(project, "setup"))


def test_no_compiler(project: Path) -> None:
    stub(project, "python3", "exit 0")
    assert "sudo apt install g++" in complaint(run(project, "setup"))


@pytest.fixture
def nearly(project: Path) -> Path:
    """Everything is there up to the packages; installing them fails with what $SAY says."""
    stub(project, "c++", "exit 0")
    stub(project, "uname", "echo x86_64")
    stub(project, "df", "echo head; echo 'disk 1 1 99999999 1% /'")
    stub(
        project,
        "python3",
        f"""case "$*" in
            *"-m venv"*) mkdir -p .venv/bin && ln -sf "{project}/bin/python3" .venv/bin/python ;;
            *"pip install"*) echo "$SAY"; exit 1 ;;
        esac""",
    )
    return project


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error: failed to lookup address information: dns error", "no network"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("error: Permission denied (os error 13)", "permission denied"),
        ("ERROR: something new", "ERROR: something new"),
    ],
)
def test_a_failed_step_is_explained(nearly: Path, said: str, told: str) -> None:
    line = complaint(run(nearly, "setup", SAY=said))
    assert told in line


def test_what_cmake_says_is_told(nearly: Path) -> None:
    said = "CMake Error at CMakeLists.txt:3 (find_package):\n\n  no package rosidl here\n"
    assert "no package rosidl here" in complaint(run(nearly, "setup", SAY=said))


def test_too_little_room_is_noticed_before_it_is_used(nearly: Path) -> None:
    stub(nearly, "df", "echo head; echo 'disk 1 1 1000 1% /'")
    assert "2.5 GB of free disk space" in complaint(run(nearly, "setup"))


def test_a_machine_without_wheels(nearly: Path) -> None:
    stub(nearly, "uname", "echo aarch64")
    assert "install ROS 2" in complaint(run(nearly, "setup"))


def test_an_unknown_command_and_an_unknown_benchmark(project: Path) -> None:
    assert "there is no './run dance'" in run(project, "dance").stderr
    assert "there is no benchmark 'dance'; there are: waltz" in complaint(run(project, "bench", "dance"))


def test_a_space_in_the_path(project: Path) -> None:
    moved = project.rename(project.with_name("my project"))
    assert "has a space in it" in complaint(run(moved, "setup"))


@pytest.mark.parametrize("name", ["pröject", "a;b", "it's", "a$b"])
def test_a_path_that_ros_tools_cannot_handle(project: Path, name: str) -> None:
    moved = project.rename(project.with_name(name))
    assert "cannot handle" in complaint(run(moved, "setup", LC_ALL="C.UTF-8"))


@pytest.fixture
def done(project: Path) -> Path:
    """Everything succeeds at once; what is set up is noted in steps.txt."""
    for name, script in {
        "c++": "exit 0",
        "uname": "echo x86_64",
        "df": "echo head; echo 'disk 1 1 99999999 1% /'",
        "python3": f"""case "$*" in
            *"-m venv"*) echo venv >>steps.txt; mkdir -p .venv/bin && ln -sf "{project}/bin/python3" .venv/bin/python
                ln -sf "{project}/bin/python3" .venv/bin/uv; ln -sf "{project}/bin/python3" .venv/bin/colcon ;;
            *"colcon build"*) echo build >>steps.txt; [ -z "${{SLOW:-}}" ] || sleep "$SLOW"
                touch install/local_setup.bash ;;
            *"pip install"*lock.txt*) echo packages >>steps.txt ;;
        esac""",
    }.items():
        stub(project, name, script)
    shutil.copy(project / "bin/python3", project / "bin/python")
    return project


def steps(project: Path) -> list[str]:
    said = (project / "steps.txt").read_text().split()
    (project / "steps.txt").unlink()
    return said


def test_what_was_removed_is_made_again(done: Path) -> None:
    assert run(done, "setup").returncode == 0
    assert steps(done) == ["venv", "packages", "build"]
    (done / "steps.txt").touch()
    assert run(done, "setup", LC_ALL="de_DE.UTF-8").returncode == 0
    assert steps(done) == [], "nothing has changed, whatever the language"
    for gone, again in (
        (".venv", ["venv", "packages", "build"]),
        ("build", ["build"]),
        ("install", ["build"]),
        ("install/local_setup.bash", ["build"]),
        (".venv/bin/python", ["venv", "packages", "build"]),
    ):
        path = done / gone
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        finished = run(done, "setup")
        assert finished.returncode == 0, finished.stderr
        assert steps(done) == again, gone


def test_an_interrupt_while_the_environment_is_made_is_quiet(done: Path) -> None:
    assert run(done, "setup").returncode == 0
    (done / "install/local_setup.bash").write_text('"$COLCON_PYTHON_EXECUTABLE" order\n')
    # in a terminal everybody in the foreground gets it
    stub(done, "python3", 'case "$*" in *order*) kill -INT 0; echo went on ;; esac')
    ended = subprocess.run(
        [str(done / "run"), "python"], env={"PATH": str(done / "bin"), "HOME": str(done)},
        start_new_session=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "went on\n", "")


def test_two_at_once_wait_for_one_another(done: Path) -> None:
    environment = {"PATH": str(done / "bin"), "HOME": str(done), "SLOW": "3"}
    with subprocess.Popen([str(done / "run"), "setup"], env=environment, stdout=subprocess.DEVNULL) as first:
        while not (done / "steps.txt").exists() or "build" not in (done / "steps.txt").read_text():
            assert first.poll() is None
        # what it has started goes on, and holds the lock
        first.kill()
    second = run(done, "setup")
    assert second.returncode == 0
    assert f"waiting for another ./run that is setting up here (process {first.pid})" in second.stderr


def test_a_full_disk_and_a_read_only_folder(done: Path) -> None:
    stub(done, "mkdir", "exit 1")
    stub(done, "df", "echo head; echo 'disk 1 1 0 100% /'")
    assert "is full" in complaint(run(done, "setup"))
    stub(done, "df", "echo head; echo 'disk 1 1 99999999 1% /'")
    assert "read-only" in complaint(run(done, "setup"))


def test_beside_a_sourced_ros_one_line_says_what_is_missing(done: Path) -> None:
    stub(done, "ros2", "exit 0")
    assert "colcon is missing" in complaint(run(done, "setup", ROS_DISTRO="humble"))
    stub(done, "colcon", "exit 0")
    stub(done, "python3", 'case "$*" in *missing*) echo python3-scipy; exit 1 ;; esac')
    line = complaint(run(done, "setup", ROS_DISTRO="humble"))
    assert "missing on this system: python3-scipy" in line and "sudo rosdep init" in line
    stub(done, "python3", 'case "$*" in *rclpy*) exit 1 ;; esac')
    assert "cannot import rclpy" in complaint(run(done, "setup", ROS_DISTRO="humble"))


def test_a_distribution_without_its_command_is_told(done: Path) -> None:
    assert "there is no 'ros2' on the PATH" in run(done, "setup", ROS_DISTRO="humble").stdout


def test_help_needs_nothing(project: Path) -> None:
    assert "./run demo" in run(project).stdout


@pytest.mark.skipif("FACE_AF_WHEELS" not in os.environ, reason="only where ./run made the environment from wheels")
def test_a_second_run_sets_nothing_up() -> None:
    done = subprocess.run(
        [str(TOP / "run"), "python", "-c", "import sys; print(sys.prefix)"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == sys.prefix
