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
    "bash sh env cat cut awk df find sort sha256sum grep tail sleep readlink dirname mkdir rm ln flock uname ls sed tr"
    " paste"
).split()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy with the script and an empty workspace, and a PATH with nothing but the basic tools."""
    top = tmp_path / "project"
    (top / "tools/ros2_pip").mkdir(parents=True)
    for folder in ("src/face_af_overlay/face_af_overlay", "launch", "config", "models", "requirements", "benchmarks"):
        (top / folder).mkdir(parents=True)
    for name in ("run", "tools/setup.sh", "tools/patch_wheels.py", "requirements/lock.txt", "requirements/nodeps.txt"):
        shutil.copy(TOP / name, top / name)
    (top / "src/package.xml").touch()
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
            *"-m venv"*) mkdir -p "$4/bin" && ln -sf "{project}/bin/python3" "$4/bin/python" ;;
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
