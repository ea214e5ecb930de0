"""tools/0_quiet_interrupt.pth: Ctrl-C before a tool's own code is reached ends it without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PTH = Path(__file__).resolve().parents[1] / "tools/0_quiet_interrupt.pth"
INTERRUPTED = "import signal; signal.raise_signal(signal.SIGINT); print('went on')"
BLOCKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
OURS = ("lib/face_af_people/enrol", "lib/face_af/doctor", "lib/nikon_mcn10_driver/profiles", "bin/ros2")


def block() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def ignore() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(
    folder: Path, script: str, text: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """A script in an interpreter that has just read the file, as ``./run`` starts it."""
    signals = "" if before is ignore else "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    (folder / "sitecustomize.py").write_text(f"import signal\n{signals}exec(open({str(PTH)!r}).read())\n")
    path = folder / script
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return subprocess.run(
        [sys.executable, str(path)], env={**os.environ, "PYTHONPATH": str(folder)}, preexec_fn=before,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("script", OURS)
def test_a_tool_of_the_project_ends_without_a_word(tmp_path: Path, script: str) -> None:
    ended = run(tmp_path, script, INTERRUPTED)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_other_programs_get_their_exception(tmp_path: Path) -> None:
    ended = run(tmp_path, "other.py", INTERRUPTED)
    assert "KeyboardInterrupt" in ended.stderr and ended.stdout == ""


@pytest.mark.parametrize("module", ["face_af_trial", "ros2_pip_trial"])
def test_a_module_of_the_project_ends_without_a_word(tmp_path: Path, module: str) -> None:
    run(tmp_path, f"{module}.py", INTERRUPTED)
    ended = subprocess.run(
        [sys.executable, "-m", module], env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_what_was_held_back_until_then_is_let_through(tmp_path: Path) -> None:
    assert run(tmp_path, OURS[0], BLOCKED, block).stdout == "False\n"
    assert run(tmp_path, "other.py", BLOCKED, block).stdout == "True\n"


def test_a_background_job_stays_deaf(tmp_path: Path) -> None:
    assert run(tmp_path, OURS[0], INTERRUPTED, ignore).stdout == "went on\n"
