"""Ctrl-C at random moments: no traceback, no process left after 2 s, files whole."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .findings import Findings
from .processes import DEMO, ENROL, IDENTIFY, RECORD, REPLAY, TUNE, VIDEO, Tool, finished, leftovers, prepare, started

_ALL = (ENROL, IDENTIFY, VIDEO, TUNE, REPLAY, DEMO, RECORD)
TRIES = 80
END_S = 2.0
_LOST_S = 30.0


def attack(folder: Path, tries: int, rng: random.Random, match: str) -> dict[str, Any]:
    """``tries`` in all, of the tools whose name ``match`` fits, by turns."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # of a background job of a shell: the tools would be deaf to Ctrl-C
        signal.signal(signal.SIGINT, signal.default_int_handler)
    tools = [tool for tool in _ALL if re.search(match, tool.name)]
    good = prepare(folder / "good")
    usual = {tool: _usual(tool, good, folder) for tool in tools}
    findings: dict[Tool, Findings] = {tool: Findings() for tool in tools}
    counts: Counter[Tool] = Counter()
    slowest: dict[Tool, float] = dict.fromkeys(tools, 0.0)
    for number in range(tries):
        tool = tools[number % len(tools)]
        counts[tool] += 1
        after = rng.uniform(0.05, usual[tool])
        wrong, seconds = _interrupted(tool, good, folder, after, f"{os.getpid()}-{number}")
        slowest[tool] = max(slowest[tool], seconds)
        for what in wrong:
            findings[tool].add(what, [f"Ctrl-C after {after:.2f} s"])
        print(f"Ctrl-C: {tool.name} after {after:.2f} s: ended in {seconds:.2f} s", *wrong, sep="\n    ", flush=True)
    return {
        f"Ctrl-C: {tool.name}{' (video)' if tool is VIDEO else ''}": {
            "tries": counts[tool], "usual_s": round(usual[tool], 1), "slowest_end_s": round(slowest[tool], 2),
            **findings[tool].report(),
        }
        for tool in tools
    }  # fmt: skip


def _usual(tool: Tool, good: Path, folder: Path) -> float:
    """Seconds that it takes undisturbed; the recorder and the demo take as long as one lets them."""
    if tool is RECORD:
        return 6.0
    out, mark = _out(folder), f"{os.getpid()}-usual"
    began = time.monotonic()
    ended = finished(started(tool.command(good, out), folder / "log", mark), folder / "log", mark, 180.0)
    if ended.status != 0 or ended.left:
        raise SystemExit(f"{tool.name} does not work undisturbed: {ended}")
    return time.monotonic() - began


def _interrupted(tool: Tool, good: Path, folder: Path, after: float, mark: str) -> tuple[list[str], float]:
    out, log = _out(folder), folder / "log"
    process = started(tool.command(good, out), log, mark)
    time.sleep(after)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    ended = finished(process, log, mark, _LOST_S)
    wrong = [f"left behind: {command}" for command in ended.left]
    if "Traceback" in ended.text:
        wrong.append(f"Traceback: {ended.text[ended.text.index('Traceback') :][-500:]}")
    if ended.seconds > END_S:
        wrong.append(f"ended after {ended.seconds:.1f} s")
    wrong += [f"left behind: {name}" for name in leftovers(out)]
    return wrong + _torn(out), ended.seconds


def _out(folder: Path) -> Path:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return out


def _torn(out: Path) -> list[str]:
    """Files that are not whole."""
    from face_af_gallery.foreign import read_array_file, read_people, read_png
    from face_af_recording.replay.source import open_source

    def lines(path: Path) -> None:
        for line in path.read_text().splitlines():
            json.loads(line)

    readers = {
        "gallery.json": read_people, "*.npz": read_array_file, "chips/*.png": lambda path: read_png(path, 256),
        "*.json": lambda path: json.loads(path.read_text()), "*.jsonl": lines,
    }  # fmt: skip
    wrong = []
    for pattern, read in readers.items():
        for path in out.rglob(pattern):
            try:
                read(path)
            except Exception as error:
                wrong.append(f"{path.relative_to(out)} is torn: {error}")
    if list(out.glob("bag/*.mcap")):
        try:
            open_source(out / "bag", "")
        except Exception as error:
            if "no images" not in str(error) and "holds no" not in str(error):
                wrong.append(f"the bag cannot be read: {error}")
    return wrong
