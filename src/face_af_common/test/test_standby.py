"""Of two processes with one lock file only one runs; the other follows at once, however the first ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from face_af_common.standby import TURN, turn

CODE = """
from face_af_common.standby import turn
print("waits", flush=True)
with turn():
    print("runs", flush=True)
    input()
"""


BUSY = """
import signal, time
from face_af_common.standby import step_back

def work(seconds):
    used, begun = time.process_time(), time.monotonic()
    while time.process_time() - used < seconds:
        sum(range(1000))
    return time.monotonic() - begun

step_back()
print("works", flush=True)
print(0.2 / work(0.2), flush=True)
input()
work(0.1)
print(signal.getitimer(signal.ITIMER_PROF)[0], flush=True)
"""


def start(lock: Path, code: str = CODE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path), TURN: str(lock)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def says(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_next_one_runs_when_the_first_has_ended(tmp_path: Path, end: signal.Signals) -> None:
    with start(tmp_path / "lock") as first:
        assert [says(first), says(first)] == ["waits", "runs"]
        with start(tmp_path / "lock") as second:
            assert says(second) == "waits"
            first.send_signal(end)
            assert says(second) == "runs"
            second.communicate("\n")
            assert second.returncode == 0


def test_ctrl_c_while_waiting(tmp_path: Path) -> None:
    with start(tmp_path / "lock") as first:
        assert [says(first), says(first)] == ["waits", "runs"]
        with start(tmp_path / "lock") as second:
            assert says(second) == "waits"
            second.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in second.communicate(timeout=10)[1]
        first.communicate("\n")


def test_who_is_not_needed_yet_takes_a_share_of_a_processor(tmp_path: Path) -> None:
    with start(tmp_path / "lock") as first:
        assert [says(first), says(first)] == ["waits", "runs"]
        with start(tmp_path / "lock", BUSY) as second:
            assert says(second) == "works"
            assert float(says(second)) < 0.35
            first.communicate("\n")
            assert second.communicate("\n", timeout=10)[0].strip() == "0.0", "it hurries now"
            assert second.returncode == 0


def test_without_a_lock_file_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TURN, raising=False)
    with turn():
        pass
