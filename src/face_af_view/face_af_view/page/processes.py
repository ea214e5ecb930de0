"""Programs that the page starts beside the graph: the recorder, and the doctor."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

from face_af_common.live_state import SESSION

from .acts import ActError

_DOCTOR_S = 90.0
_STOP_S = 10.0


class Recorder:
    """The recorder that this page has started. One that the launch file has started ends with it."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def record(self, on: bool) -> str:
        """What to tell. Raises :class:`ActError`."""
        if not on:
            return self._stop()
        if self.running:
            raise ActError("it is recording already")
        command = shutil.which("ros2")
        if command is None:
            raise ActError("the program ros2 is not on this machine's path")
        words = [command, "run", "face_af_recording", "recorder", "--ros-args", "-r", f"__ns:={self._namespace}"]
        # a group of its own: Ctrl-C reaches the page's node first, which ends it in order
        # not one of the launch's own processes: nobody shall start it again
        environment = {name: value for name, value in os.environ.items() if name != SESSION}
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)
        return "recording"

    def _stop(self) -> str:
        process = self._process
        if process is None or process.poll() is not None:
            raise ActError("the recording was not started here; it ends with what has started it")
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ActError("the recorder did not end by itself and was stopped") from None
        return "the recording is finished"

    def close(self) -> None:
        """Tells the recorder to finish, which it does by itself."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGINT)


async def doctor() -> Any:
    """The doctor's findings. Raises :class:`ActError`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from face_af.doctor import main; raise SystemExit(main(['--json']))",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _DOCTOR_S)
        return json.loads(said)
    except asyncio.TimeoutError:
        process.kill()
        raise ActError(f"the doctor took longer than {_DOCTOR_S:.0f} s") from None
    except ValueError:
        raise ActError("the doctor has no findings; try ./run ros2 run face_af doctor") from None
