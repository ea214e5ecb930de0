"""Every tool ends quietly, in time and with whole files, whatever the machine or the user's keyboard does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from face_af_common import tools


@pytest.fixture
def tool(tmp_path: Path) -> ToolRunner:
    return ToolRunner(tmp_path)


class ToolRunner:
    """Starts a module with this text as a tool, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, text: str, shell: str = "{}", **options: object) -> subprocess.Popen[str]:
        (self.folder / "mytool.py").write_text(textwrap.dedent(text))
        code = (
            "import sys; from face_af_common import tools; sys.argv[0] = 'mytool'; sys.exit(tools.run_tool('mytool'))"
        )
        command = shell.format(f'"{sys.executable}" -c "{code}"')
        places = os.pathsep.join([str(self.folder), *sys.path])
        return subprocess.Popen(
            ["bash", "-c", f"exec {command}" if shell == "{}" else command], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": places},
        )  # fmt: skip

    def run(self, text: str, shell: str = "{}") -> tuple[int, str]:
        process = self.start(text, shell)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors

    def interrupted(self, text: str, number: int = signal.SIGINT) -> tuple[int, str, float]:
        """The same with a signal when it says "ready"; also the time from the signal to the end."""
        process = self.start(text)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        sent = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors, time.monotonic() - sent


def test_a_tool_gives_its_status(tool: ToolRunner) -> None:
    assert tool.run("def main(): return 7") == (7, "")


WRITES = """
    from pathlib import Path
    from face_af_common.files import replacing
    def main():
        with replacing("out.json") as part:
            part.write_text("half")
            print("ready", flush=True)
            {}
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_quiet_and_leaves_no_half_file(tool: ToolRunner, number: int) -> None:
    status, errors, _ = tool.interrupted(WRITES.format("import time; time.sleep(60)"), number)
    assert status == 128 + number and errors == ""
    assert not list(tool.folder.glob("*out*")) and not list(tool.folder.glob(".face_af*"))


@pytest.mark.parametrize(
    "stuck",
    [
        "exec('while True:\\n try:\\n  import time; time.sleep(60)\\n except BaseException: pass')",
        # a library that holds on to the main thread
        "import ctypes; ctypes.CDLL(None).sleep(30) or ctypes.CDLL(None).sleep(30)",
    ],
)
def test_what_does_not_listen_is_ended(tool: ToolRunner, stuck: str) -> None:
    status, errors, spent = tool.interrupted(WRITES.format(stuck))
    assert status == 130 and errors == "" and spent < tools.PATIENCE_S + 10
    assert not list(tool.folder.glob(".face_af*"))


def test_an_interrupt_that_a_callback_swallows_comes_again(tool: ToolRunner) -> None:
    text = """
        import time
        class Swallows:
            def __del__(self):
                print("ready", flush=True)
                time.sleep(60)
        def main():
            Swallows()
            time.sleep(60)
    """
    status, errors, _ = tool.interrupted(text)
    assert status == 130 and errors == ""


def test_an_interrupt_while_modules_are_imported_is_quiet(tool: ToolRunner) -> None:
    status, errors, _ = tool.interrupted("import time; print('ready', flush=True); time.sleep(60)")
    assert status == -signal.SIGINT and errors == ""


def test_what_a_thread_was_just_writing_does_not_stay(tool: ToolRunner) -> None:
    text = """
        import threading, time
        from pathlib import Path
        from face_af_common.files import replacing
        def write(begun):
            with replacing("out.json") as part:
                part.write_text("half")
                begun.set()
                time.sleep(60)
        def main():
            begun = threading.Event()
            threading.Thread(target=write, args=(begun,), daemon=True).start()
            begun.wait()
            return 0
    """
    assert tool.run(text) == (0, "")
    assert not [path for path in tool.folder.iterdir() if "out" in path.name]


def test_children_that_do_not_hear_it_are_ended_by_the_parent(tool: ToolRunner) -> None:
    text = """
        import subprocess, sys, time
        from face_af_common.tools import unheard_by_children
        SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
        def main():
            with unheard_by_children():
                child = subprocess.Popen([sys.executable, "-c", SLEEPER])
            try:
                time.sleep(60)
            finally:
                child.send_signal(2); time.sleep(0.2); assert child.poll() is None; child.kill()
    """
    assert tool.interrupted(text)[:2] == (130, "")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("open('/dev/full', 'w').write('x' * 100000)", "mytool: No space left on device: free some space"),
        ("open('absent/file')", "mytool: absent/file: No such file or directory"),
        ("raise MemoryError", "mytool: there is not enough memory"),
        ("raise RuntimeError('std::bad_alloc')", "mytool: there is not enough memory"),
        ("import a_package_that_is_absent", "mytool: the Python package 'a_package_that_is_absent' is missing"),
    ],
)
def test_the_machines_faults_are_one_line(tool: ToolRunner, body: str, told: str) -> None:
    status, errors = tool.run(f"def main(): {body}")
    assert status == 1 and errors.startswith(told) and errors.count("\n") == 1


def test_a_bug_keeps_its_traceback(tool: ToolRunner) -> None:
    status, errors = tool.run("def main(): 1 / 0")
    assert status == 1 and "Traceback" in errors


PRINTS = "def main():\n    for _ in range(5000): print('x' * 80)\n    return 0"


def test_outputs_that_are_closed_or_full(tool: ToolRunner) -> None:
    assert tool.run(PRINTS, "{} | head -1; exit ${{PIPESTATUS[0]}}")[1] == ""
    assert tool.run(PRINTS, "{} >&-") == (0, "")
    assert tool.run(PRINTS, "{} >&- 2>&-") == (0, "")
    status, errors = tool.run(PRINTS, "{} >/dev/full")
    assert status == 1 and errors == "mytool: No space left on device: free some space, or choose another place\n"


def test_a_closed_output_is_not_taken_for_a_file(tool: ToolRunner) -> None:
    text = (
        "import os\ndef main():\n    file = open('mine', 'w'); os.write(1, b'noise'); file.write('mine')\n    return 0"
    )
    assert tool.run(text, "{} >&-") == (0, "")
    assert (tool.folder / "mine").read_text() == "mine"
