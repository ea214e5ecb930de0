"""``doctor``: checks this machine and says what to do about what it finds."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence

from .machine import FAIL, OK, WARN, Machine, examine

_MARKS = {OK: "\033[32mok\033[0m  ", WARN: "\033[33mwarn\033[0m", FAIL: "\033[31mFAIL\033[0m"}
_PLAIN = {OK: "ok  ", WARN: "warn", FAIL: "FAIL"}


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when something will not work."""
    parser = argparse.ArgumentParser(prog="doctor", description="Checks what face_af needs of this machine.")
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    options = parser.parse_args(argv)
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
