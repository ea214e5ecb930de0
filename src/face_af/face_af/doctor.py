"""``doctor``: checks this machine and says what to do about what it finds."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import sys
from collections.abc import Sequence

from .machine import FAIL, OK, WARN, Machine, examine

_MARKS = {OK: "\033[32mok\033[0m  ", WARN: "\033[33mwarn\033[0m", FAIL: "\033[31mFAIL\033[0m"}
_PLAIN = {OK: "ok  ", WARN: "warn", FAIL: "FAIL"}


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when something will not work. ``doctor camera`` reports on the camera instead."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["camera"]:
        # by name: this package imports no node's package
        return int(importlib.import_module("nikon_mcn10_driver.camera_report").main(words[1:]))
    parser = argparse.ArgumentParser(
        prog="doctor", description="Checks what face_af needs of this machine; doctor camera: what the camera offers."
    )
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    options = parser.parse_args(words)
    findings = list(examine(Machine()))
    if options.json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        marks = _MARKS if sys.stdout.isatty() else _PLAIN
        for finding in findings:
            print(f"{marks[finding.status]} {finding.subject:14} {finding.text}")
            if finding.advice:
                print(f"     {'':14} → {finding.advice}")
        counts = {status: sum(finding.status == status for finding in findings) for status in (OK, WARN, FAIL)}
        print(f"{counts[OK]} fine, {counts[WARN]} to look at, {counts[FAIL]} that will not work")
    return 1 if any(finding.status == FAIL for finding in findings) else 0
