"""Notes of running graphs: found while their process lives, gone with it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from face_af_common import running

_NOTE = """
import sys
from face_af_common import running
running.note(sys.argv[1])
print("noted", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def start(namespace: str, domain: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _NOTE, namespace],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
    )
    assert process.stdout is not None and process.stdout.readline() == "noted\n"
    return process


def test_a_graph_is_found_while_it_lives_however_it_ends() -> None:
    assert running.running() == []
    first, second = start("/stage", 41), start("face_af", 42)
    try:
        assert [(r.domain, r.namespace) for r in running.running()] == [(42, "face_af"), (41, "stage")]
        second.kill()
        second.wait()
        assert [r.namespace for r in running.running()] == ["stage"]
        first.communicate(timeout=10)
        assert running.running() == [] and list(running.folder().iterdir()) == []
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()


@pytest.mark.parametrize("text", ["", "{}", "[", '{"domain": "x", "namespace": "a", "started": 1}', "[" * 4000])
def test_a_damaged_note_is_left_out(text: str) -> None:
    running.note("good")
    (running.folder() / "bad.json").write_text(text)
    with (running.folder() / "bad.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert [r.namespace for r in running.running()] == ["good"]
