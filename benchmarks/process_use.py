"""What the processes below this one use: processor time by node, and memory."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

TICKS = os.sysconf("SC_CLK_TCK")


def node_processes() -> dict[int, list[str]]:
    """The nodes of each of this process' descendants, by process id; a node's supervisor has the same as its child."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if nodes := nodes_of(command):
            found[process.pid] = nodes
    return found


def nodes_of(command: Sequence[str]) -> list[str]:
    """``.../lib/PACKAGE/NODE --ros-args`` or ``.../container NODE... --ros-args``, with the interpreter before it."""
    program = next((part for part in command if "/lib/face_af" in part or "/lib/nikon" in part), "")
    if not program or "--ros-args" not in command:
        return []
    name = program.rsplit("/", 1)[-1]
    return list(command[command.index(program) + 1 : command.index("--ros-args")]) if name == "container" else [name]


def cpu_seconds(pids: Iterable[int]) -> dict[str, float]:
    """Processor time so far, by the names of threads; the runtime names each node's threads after it."""
    spent: dict[str, float] = defaultdict(float)
    for pid in pids:
        for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
            name, ticks = _stat(stat)
            spent[name] += ticks / TICKS
    return spent


def total_seconds(pids: Iterable[int]) -> float:
    """Processor time so far of whole processes, ended threads included."""
    return sum(_stat(Path(f"/proc/{pid}/stat"))[1] for pid in pids) / TICKS


def proportional_mb(pids: Iterable[int]) -> float:
    """Proportional set size: what processes share is divided among them."""
    return sum(psutil.Process(pid).memory_full_info().pss for pid in pids if psutil.pid_exists(pid)) / 2**20


def _stat(path: Path) -> tuple[str, int]:
    try:
        before, _, after = path.read_text().rpartition(")")
    except OSError:  # it has just ended
        return "", 0
    fields = after.split()
    return before.partition("(")[2], int(fields[11]) + int(fields[12])
