"""``ros2 run nikon_mcn10_driver learn_profile``: makes a remote profile from recordings of the real grip, and tries it.

Give a recording in which nothing is pressed and one for each button (each option may be given more than once); begin
them before the grip is switched on. With --record, a sniffer's stream comes in on standard input, and the buttons are
asked for. With --try, a finished profile is tried on the camera, through the running nodes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from face_af_common.files import told, write_text

from ..profile import BUTTONS, ProfileError
from ..profile_format import format_profile
from .learn import learn
from .outcome import Learned
from .packets import CaptureError
from .proof import Proof, prove
from .reader import Capture, read_capture
from .report import as_html, as_text, tables
from .runs import QUIET

_NAMES = tuple(kind.name.lower() for kind in BUTTONS)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 all learned and proved, 1 something was refused, 2 a mistake in the call."""
    parser = _parser()
    options, _ = parser.parse_known_args(argv)
    try:
        if options.try_profile:
            from .try_node import open_eyes
            from .try_profile import try_profile

            return try_profile(options.try_profile, options.buttons, options.presses, open_eyes)
        if options.record:
            from .record import record

            recordings: Mapping[str, Sequence[Capture]] = record(sys.stdin.buffer, options.buttons)
        else:
            files = {name: getattr(options, name) or [] for name in (QUIET, *_NAMES)}
            if not any(files.values()):
                parser.error("recordings are needed: --quiet FILE --left FILE …, or --record, or --try PROFILE")
            recordings = {
                name: [read_capture(path, options.device) for path in paths] for name, paths in files.items() if paths
            }
    except (CaptureError, ProfileError) as error:
        print(f"learn_profile: {error}", file=sys.stderr)
        return 2
    out = Path(options.output).expanduser()
    learned = learn(recordings, out.stem, options.origin)
    proof = prove(learned) if learned.profile is not None else None
    return _write(learned, proof, out, options.allow_missing)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="learn_profile", description=__doc__.split("\n\n")[1].replace("\n", " "))
    parser.add_argument("--quiet", action="append", metavar="FILE", help="recording in which nothing is pressed")
    for name in _NAMES:
        parser.add_argument(f"--{name}", action="append", metavar="FILE", help=f"recording in which {name} is pressed")
    parser.add_argument("-o", "--output", default="my_z8.yaml", metavar="FILE", help="profile (default: %(default)s)")
    parser.add_argument("--origin", default="", help="who recorded which grip with which body, written to the profile")
    parser.add_argument("--device", type=int, metavar="ADDRESS", help="the camera's USB address, if there are several")
    parser.add_argument("--allow-missing", action="store_true", help="write the profile without what was refused")
    parser.add_argument("--record", action="store_true", help="ask for the buttons while a capture comes in on stdin")
    parser.add_argument("--try", dest="try_profile", metavar="PROFILE", help="try a profile on the camera")
    parser.add_argument(
        "--buttons", nargs="+", choices=_NAMES, default=["left", "right"], help="for --record and --try (left right)"
    )
    parser.add_argument("--presses", type=int, default=12, help="presses of each button with --try (default: 12)")
    return parser


def _write(learned: Learned, proof: Proof | None, out: Path, allow_missing: bool) -> int:
    found = tables(learned, proof)
    text = as_text(found)
    page = out.with_suffix(".html")
    good = learned.complete and proof is not None and proof.passed
    usable = learned.profile is not None and proof is not None and proof.passed and (good or allow_missing)
    try:
        write_text(page, as_html(found, f"Remote profile {out.stem}"))
        write_text(out.with_suffix(".txt"), text)
        if usable and learned.profile is not None:
            comments = ["Learned by learn_profile; see the report beside it.", *learned.notes[:20]]
            write_text(out, format_profile(learned.profile, comments))
    except OSError as error:
        print(f"learn_profile: {told(error)}", file=sys.stderr)
        return 2
    print(text)
    if usable and learned.profile is not None:
        buttons = ", ".join(kind.name.lower() for kind in learned.profile.buttons)
        print(f"{out}: {buttons}; proved against the recordings. Report: {page}")
    elif learned.profile is not None:
        print(f"no profile was written (--allow-missing writes it without what was refused). Report: {page}")
    else:
        print(f"no profile was learned. Report: {page}")
    return 0 if good else 1
