"""A full disk, folders that may not be written to, a home that is read-only, too little memory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_sim.samples import samples_dir

from .findings import Findings
from .processes import WRITERS, Tool, finished, leftovers, prepare, started

_LOST_S = 90.0


@dataclass(frozen=True)
class Condition:
    """``shell``: what is done to ``$OUT`` in a mount namespace before the tool starts; ``told``: what it must say."""

    name: str
    shell: str
    told: str = ""


_SMALL = "mount -t tmpfs -o size=64k none $OUT"
CONDITIONS = (
    Condition("full disk", f"{_SMALL} && (cat /dev/zero >$OUT/filler; true)", "No space left|free space or memory"),
    Condition("nearly full disk", "mount -t tmpfs -o size=300k none $OUT", ""),
    Condition("read-only folder", "mount -t tmpfs -o ro none $OUT", "Read-only file system"),
    Condition("foreign folder", "FOREIGN", "Permission denied"),
    Condition("read-only home", "mount --bind $HOME $HOME && mount -o remount,ro,bind $HOME"),
    Condition("1.2 GB of memory", "ulimit -v 1200000"),
)  # fmt: skip


def attack(folder: Path, match: str) -> dict[str, Any]:
    """Each tool that writes under each condition, where ``match`` fits ``CONDITION: TOOL``."""
    good = prepare(folder / "good")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    unshare = _unshare()
    report = {}
    for condition in CONDITIONS:
        findings, tries, outcomes = Findings(), 0, dict[str, str]()
        for tool in [tool for tool in WRITERS if re.search(match, f"{condition.name}: {tool.name}")]:
            if unshare is None and condition.shell.startswith("mount"):
                continue
            tries += 1
            ended, wrong = _tried(tool, condition, good, folder, unshare or [])
            outcomes[f"{tool.name} {len(outcomes)}"] = f"{ended.status}: {_last_line(ended.text)}"
            for what in wrong:
                findings.add(f"{tool.name}: {what}", [ended.text[-1500:]])
            print(
                f"{condition.name}: {tool.name}: {ended.status}: {_last_line(ended.text)}",
                *wrong,
                sep="\n    ",
                flush=True,
            )
        report[condition.name] = {"tries": tries, "said": outcomes, **findings.report()}
    return report


def _tried(tool: Tool, condition: Condition, good: Path, folder: Path, unshare: list[str]) -> Any:
    out, home = folder / "out", folder / "home"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    home.mkdir(exist_ok=True)
    log, mark = folder / "log", f"{os.getpid()}-machine"
    inside = folder / "inside"
    inside.write_text("")
    inside.chmod(0o666)
    command = tool.command(good, out)
    how = condition.shell
    if how == "FOREIGN":
        how = "true"
        out.chmod(0o555)
        if os.geteuid() == 0:  # root may write everywhere, but for what belongs to others where that right is taken
            os.chown(out, 65534, 65534)
            command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]
    script = f'{how} || exit 99; "$@"; status=$?; find $OUT >{inside}; exit $status'
    process = started(
        [*(unshare if how.startswith("mount") else []), "bash", "-c", script, "bash", *command],
        log, mark, OUT=str(out), HOME=str(home), FACE_AF_SAMPLES=str(samples_dir()),
    )  # fmt: skip
    ended = finished(process, log, mark, _LOST_S)
    wrong = [f"left behind: {line}" for line in ended.left]
    if ended.status == 99:
        raise SystemExit(f"{condition.name} cannot be made here: {ended.text}")
    if "Traceback" in ended.text:
        wrong.append(f"Traceback … {_last_line(ended.text)}")
    if condition.told and not re.search(condition.told, ended.text):
        wrong.append(f"does not say {condition.told!r}, but {_last_line(ended.text)!r} ({ended.status})")
    elif condition.told and str(out) not in ended.text:
        wrong.append(f"does not name the file: {_last_line(ended.text)!r}")
    if condition.told and ended.status == 0:
        wrong.append("says success")
    if ended.status not in (0, 1, 2):
        wrong.append(f"ended with {ended.status}: {_last_line(ended.text)!r}")
    wrong += [f"left behind: {name}" for name in leftovers(out)]
    wrong += [f"left behind: {line}" for line in inside.read_text().splitlines() if "/.face_af-" in line]
    return ended, wrong


def _unshare() -> list[str] | None:
    """How a mount namespace is had here."""
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        if (
            subprocess.run(
                [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return command
    return None


def _last_line(text: str) -> str:
    lines = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
