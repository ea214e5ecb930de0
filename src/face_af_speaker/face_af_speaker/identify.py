"""``ros2 run face_af_speaker identify``: who speaks when in recordings and videos."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from face_af_common.files import write_json

from .enrolment import open_voices, recordings
from .identification import VoiceMatcher
from .options import add_gallery, add_options, complain, networks, told
from .segments import Segment, segments, turns
from .sound_files import Piece, SoundError, blocks, piece


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="identify", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("sound", nargs="+", metavar="FILE", help="recordings or videos, FILE@1:20-1:45, or folders")
    parser.add_argument(
        "--json", type=Path, metavar="OUT", help="{path: [{start, end, identity, similarity}]}, seconds"
    )
    parser.add_argument("--threshold", type=float, help="similarity from which on a voice is named (the model's)")
    parser.add_argument("--channel", type=int, default=0, help="which channel is listened to, from 1 (0: all, mixed)")
    add_gallery(parser, "a gallery, or a folder with one folder of recordings a person")
    add_options(parser)
    options = parser.parse_args(argv)
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    opened = activity, embedder = networks(options)
    threshold = embedder.threshold if options.threshold is None else options.threshold
    matcher = VoiceMatcher(open_voices(options.gallery, opened, complain), threshold)
    results: dict[str, list[dict[str, Any]]] = {}
    failed = 0
    for source in _expanded(options.sound):
        results[str(source)] = []
        try:
            for turn in turns(activity, blocks(source, options.channel)):
                found = segments(matcher, embedder, turn)
                results[str(source)] += [asdict(segment) for segment in found]
                if not options.json:
                    _show(source, found)
        except SoundError as error:
            complain(error)
            failed += 1
    if options.json:
        write_json(options.json, results)
    return 1 if failed == len(results) else 0


def _expanded(texts: Sequence[str]) -> list[Piece]:
    found = []
    for text in texts:
        part = piece(text)
        found += [Piece(path) for path in recordings(part.path)] if part.path.is_dir() else [part]
    return found


def _show(source: Piece, found: list[Segment]) -> None:
    for segment in found:
        who = segment.identity or "a person"
        print(f"{source}: {segment.start:7.2f} to {segment.end:7.2f} s  {who}  {segment.similarity:.2f}")
