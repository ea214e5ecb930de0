"""What the launch says: on the screen with a coloured prefix per process, and in its log file."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import socket
import sys
import time
import zlib
from pathlib import Path
from typing import TextIO

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_LEVELS = {"WARNING": 33, "ERROR": 31}


class Log:
    """One per launch process. The log file is made with the first line."""

    def __init__(self) -> None:
        self.directory: Path | None = None
        self.verbose = False
        self._file: TextIO | None = None
        self._own: dict[str, TextIO] = {}
        self._tried = False
        self._broken = False

    def info(self, name: str, text: str) -> None:
        self._say("INFO", name, text)

    def warning(self, name: str, text: str) -> None:
        self._say("WARNING", name, text)

    def error(self, name: str, text: str) -> None:
        self._say("ERROR", name, text)

    def debug(self, name: str, text: str) -> None:
        if self.verbose:
            self._say("DEBUG", name, text)

    def _say(self, level: str, name: str, text: str) -> None:
        shown = _coloured(level, _LEVELS[level]) if level in _LEVELS else level
        self._screen(f"[{shown}] [{_painted(name)}]: {text}")
        self._log(self._file_for_all(), f"{time.time():.7f} [{level}] [{name}]: {text}")

    def output(self, name: str, destinations: frozenset[str], line: str) -> None:
        """One line that the process ``name`` wrote; ``destinations`` of ``screen``, ``log``, ``own_log``."""
        if "screen" in destinations:
            self._screen(f"[{_painted(name)}] {line}")
        if "log" in destinations:
            self._log(self._file_for_all(), f"{time.time():.7f} [{name}] {line}")
        if "own_log" in destinations:
            self._log(self._file_of(name), line)

    def _screen(self, text: str) -> None:
        if self._broken:
            return
        try:
            encoding = sys.stdout.encoding or "utf-8"
            sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, OSError):
            # nobody reads any more (`ros2 launch … | head`): end as if asked to
            self._broken = True
            os.kill(os.getpid(), signal.SIGTERM)

    def _log(self, file: TextIO | None, text: str) -> None:
        if file is not None:
            with contextlib.suppress(OSError):
                file.write(text + "\n")
                file.flush()

    def open(self) -> Path | None:
        """Makes the log file, if it is not there yet; returns its folder, or None where there can be none."""
        self._file_for_all()
        return self.directory

    def _file_for_all(self) -> TextIO | None:
        if not self._tried:
            self._tried = True
            try:
                self.directory = _new_directory()
                self._file = _text_file(self.directory / "launch.log")
            except OSError as error:
                self.warning("launch", f"no log file: {error}")
        return self._file

    def _file_of(self, name: str) -> TextIO | None:
        self._file_for_all()
        if self.directory is None:
            return None
        if name not in self._own:
            self._own[name] = _text_file(self.directory / f"{name}.log")
        return self._own[name]

    def close(self) -> None:
        for file in (*self._own.values(), *((self._file,) if self._file else ())):
            file.close()
        self._own.clear()
        self._file = None


def _text_file(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors="replace")


def _new_directory() -> Path:
    """``$ROS_LOG_DIR``, else ``$ROS_HOME/log``, else ``~/.ros/log``, with a folder for this launch in it."""
    base = os.environ.get("ROS_LOG_DIR") or Path(os.environ.get("ROS_HOME") or "~/.ros", "log")
    now = datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
    directory = Path(base).expanduser() / f"{now}-{socket.gethostname()}-{os.getpid()}"
    directory.mkdir(parents=True)
    latest = directory.parent / "latest"
    with contextlib.suppress(OSError):
        if latest.is_symlink():
            latest.unlink()
        latest.symlink_to(directory, target_is_directory=True)
    return directory


def _colours_wanted() -> bool:
    forced = os.environ.get("RCUTILS_COLORIZED_OUTPUT")
    return forced == "1" if forced in ("0", "1") else sys.stdout.isatty()


def _coloured(text: str, colour: int) -> str:
    return f"\033[{colour}m{text}\033[0m" if _colours_wanted() else text


def _painted(name: str) -> str:
    """A process' name in a colour of its own: by its number, so that neighbours differ."""
    _, _, number = name.rpartition("-")
    if name.startswith("launch"):
        return name
    index = int(number) if number.isdigit() else zlib.crc32(name.encode())
    return _coloured(name, _COLOURS[index % len(_COLOURS)])


log = Log()
