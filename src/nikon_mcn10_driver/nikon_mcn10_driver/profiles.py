"""``ros2 run nikon_mcn10_driver profiles``: checks remote profiles, and makes copies that can be shared."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from face_af_common.files import FileError, write_text

from .profile import Profile, ProfileError, Step
from .profile_format import format_profile, load_profile

_MANY_DIGITS = re.compile(r"\d{6,}")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status 1 when a file is refused, 2 for a mistake in the call."""
    parser = argparse.ArgumentParser(prog="profiles", description="Checks and shares remote profiles.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    check = verbs.add_parser("check", help="say what is wrong with profiles, or what they have")
    check.add_argument("files", nargs="+", metavar="FILE")
    share = verbs.add_parser("share", help="write a copy without serial numbers")
    share.add_argument("file", metavar="FILE")
    share.add_argument("-o", "--output", required=True, metavar="FILE")
    options, _ = parser.parse_known_args(argv)
    bad = 0
    if options.verb == "share":
        return _share(options.file, Path(options.output).expanduser())
    for name in options.files:
        try:
            print(f"{name}: {summary(_load(name))}")
        except ProfileError as error:
            print(error, file=sys.stderr)
            bad = 1
    return bad


def _load(name: str) -> Profile:
    path = Path(name)
    return load_profile(name if path.suffix in (".yaml", ".yml") else f"{name}.yaml", path.parent)


def summary(profile: Profile) -> str:
    """One line: buttons, heartbeats, which cameras, what was measured."""
    buttons = ", ".join([*(kind.name.lower() for kind in profile.buttons), *(["shutter"] if profile.shutter else [])])
    beats = ", ".join(f"{beat.period:g} s" for beat in profile.heartbeats if beat.steps) or "none"
    cameras = ", ".join(profile.models) or "any model"
    measured = profile.measured
    tried = f"; tried with {measured.presses} presses" if measured.presses else "; never tried on a camera"
    return (
        f"ok: {buttons}; heartbeat {beats}; for {cameras}{' with its serial number' if profile.serial else ''}{tried}"
    )


def private_parts(profile: Profile) -> list[str]:
    """What in the profile may tell whose camera or grip it is: long numbers in texts, also in what is sent."""
    found = []
    if _MANY_DIGITS.search(profile.origin):
        found.append("origin has a long number")
    serial = re.sub(r"[\^$\\]", "", profile.serial)
    sections = {"init": profile.init, "close": profile.close}
    sections |= {f"heartbeat {i + 1}": beat.steps for i, beat in enumerate(profile.heartbeats)}
    named = {kind.name.lower(): button for kind, button in profile.buttons.items()}
    if profile.shutter is not None:
        named["shutter"] = profile.shutter
    for name, button in named.items():
        sections[name] = button.press + button.release
    for name, steps in sections.items():
        for step in steps:
            text = _text(step)
            if _MANY_DIGITS.search(text) or (serial and serial in text):
                found.append(f"{name}: operation 0x{step.operation or 0:04X} sends a long number as text")
    return found


def _text(step: Step) -> str:
    """What is text in the data of a step, in ASCII or UTF-16."""
    parts = step.data if isinstance(step.data, tuple) else (step.data or b"",)
    raw = b"".join(part for part in parts if isinstance(part, bytes))
    return raw.decode("latin-1") + " " + raw.replace(b"\0", b"").decode("latin-1")


def _share(name: str, out: Path) -> int:
    try:
        profile = _load(name)
    except ProfileError as error:
        print(error, file=sys.stderr)
        return 1
    origin = _MANY_DIGITS.sub("…", profile.origin)
    shared = replace(profile, serial="", origin=origin)
    left = private_parts(shared)
    if left:
        for line in left:
            print(f"{name}: {line}; nothing was written", file=sys.stderr)
        return 1
    try:
        write_text(out, format_profile(shared, ["Shared without serial numbers."]))
    except FileError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{out}: the serial number is cut out; the camera's model and the codes of the grip are in it")
    return 0
