"""``ros2 run face_af_speaker enrol``: puts people's voices into a gallery, and shows whose are in it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from face_af_gallery.voices import VoiceGallery

from . import enrolment
from .enrolment import MOST_S, add_session, embed_sound, people_in, recordings, too_little
from .networks import ActivityNetwork, VoiceEmbedder
from .options import add_gallery, add_options, complain, networks, told
from .sound_files import Piece, SoundError, first_seconds, piece
from .sound_source import device_blocks

EPILOG = """examples:
  enrol --voice anna anna1.wav anna2.wav         two recordings; of two days is better
  enrol --voice anna show.mp4@1:20-1:45          a part of a video: where only Anna speaks
  enrol --voice anna --listen default            live: she speaks for 15 s
  enrol people                                   a folder with one folder of recordings a person
  enrol --list
  enrol --remove anna                            her voice; `face_af_people enrol --remove` removes face and voice"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="enrol", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("sound", nargs="*", metavar="FILE", help="recordings or videos, FILE@1:20-1:45, or folders")
    parser.add_argument("--voice", "--name", dest="name", help="whose voice; else the names are those of the folders")
    parser.add_argument("--channel", type=int, default=0, help="which channel is listened to, from 1 (0: all, mixed)")
    parser.add_argument("--listen", metavar="DEVICE", help="live, from an ALSA device (list_devices); needs --voice")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long --listen listens, 2 to 600 (15)")
    parser.add_argument("--list", action="store_true", help="show whose voices are in the gallery")
    parser.add_argument("--remove", metavar="NAME", help="remove a person's voice from the gallery")
    add_gallery(parser)
    add_options(parser)
    options = parser.parse_args(argv)
    if not (options.sound or options.list or options.remove or options.listen):
        parser.error("recordings are needed, or --listen, --list or --remove")
    if options.listen and (not options.name or not 2 <= options.seconds <= MOST_S):
        parser.error("--listen needs --voice NAME, and --seconds from 2 to 600")
    return told(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    people = _people(options) if options.sound else {}
    opened = networks(options)
    gallery = VoiceGallery.open(options.gallery, opened[1].model_id, create=bool(options.sound or options.listen))
    status = 0
    if options.remove:
        count = gallery.remove(options.remove)
        known = ", ".join(gallery.names) or "nobody"
        print(
            f"{options.remove}: {count} sessions removed" if count else f"no {options.remove} here; there are {known}"
        )
        status = 0 if count else 1
    for name, pieces in people.items():
        done = enrolment.enrol(gallery, opened, name, pieces, complain, options.channel)
        seconds = sum(session.seconds for session in done)
        alike = f"; similarity {min(session.alike for session in done):.2f} at least" if done else ""
        print(f"{name}: {len(done)} of {len(pieces)} recordings enrolled, {seconds:.0f} s of speech{alike}")
        status = status if done else 1
    if options.listen:
        _listen(options, opened, gallery)
    if options.list or options.sound or options.listen:
        _list(gallery)
    return status


def _listen(options: argparse.Namespace, opened: tuple[ActivityNetwork, VoiceEmbedder], gallery: VoiceGallery) -> None:
    """Raises :class:`SoundError`."""
    name, device = options.name, options.listen
    complain(f"{name}: speak now, for {options.seconds:g} s, alone")
    sound = first_seconds(device_blocks(device, options.channel), options.seconds)
    done = add_session(gallery, name, *embed_sound(*opened, sound, device), device)
    print(f"{name}: enrolled, {done.seconds:.0f} s of speech; similarity {done.alike:.2f}")
    if doubt := too_little(gallery, name):
        complain(doubt)


def _people(options: argparse.Namespace) -> dict[str, list[Piece]]:
    """The recordings to enrol, by person. Raises :class:`SoundError`."""
    if options.name:
        found = []
        for text in options.sound:
            part = piece(text)
            found += [part] if not part.path.is_dir() else [Piece(path) for path in recordings(part.path)]
        return {options.name: found}
    people: dict[str, list[Piece]] = {}
    for text in options.sound:
        inside = people_in(Path(text)) if Path(text).is_dir() else {}
        if not inside:
            raise SoundError(
                f"{text}: whose voice? Give --voice NAME, or a folder with one folder of recordings a person"
            )
        for name, paths in inside.items():
            people.setdefault(name, []).extend(Piece(path) for path in paths)
    return people


def _list(gallery: VoiceGallery) -> None:
    for name in gallery.names:
        sessions = gallery.samples(name)
        plural = "" if len(sessions) == 1 else "s"
        print(f"{name}: {len(sessions)} session{plural}, {sum(s.seconds for s in sessions):.0f} s of speech")
    count = len(gallery.names)
    print(f"{gallery.folder}: {count} {'voice' if count == 1 else 'voices'}, model {gallery.model_id}")
    if gallery.complaint:
        complain(gallery.complaint)
