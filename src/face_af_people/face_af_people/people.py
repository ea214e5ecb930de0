"""``ros2 run face_af_people people``: looks after the people of a gallery: renames, merges, moves, hands on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from face_af_common.paths import gallery_dir

from .models import add_model_options, complain, open_analyser

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery

EPILOG = """examples:
  people show anna                     her samples: id, quality, since when, and who else looks like it
  people rename anna "Anna B."         people merge anna_2 anna
  people move 3f9c0a bert              people remove 3f9c0a
  people export anna anna.zip          people import anna.zip --as anna
Each begins with what is on disk, and removes what was derived of samples that have gone: classifiers, maps, reports."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)

    from face_af_common.files import FileError
    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    try:
        analyser = open_analyser(options)
        gallery = Gallery.open(options.gallery, analyser.embedder, create=options.command == "import")
        print(_COMMANDS[options.command](gallery, options))
        return 0
    except (GalleryError, ModelError, FileError) as error:
        complain(error)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="people", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *arguments: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        for argument in arguments:
            made.add_argument(argument.lower(), metavar=argument, type=Path if argument == "FILE" else str)
        made.add_argument("--gallery", type=Path, default=gallery_dir(), metavar="DIR", help="the gallery's folder")
        add_model_options(made)
        return made

    command("show", "a person's samples", "NAME")
    command("rename", "gives a person another name", "NAME", "NEW")
    command("merge", "makes one person of two", "NAME", "INTO")
    command("move", "makes one sample another person's", "SAMPLE", "NAME")
    command("remove", "removes one sample (enrol --remove: a person)", "SAMPLE")
    command("export", "writes a person as a zip file of data", "NAME", "FILE")
    command("import", "adds a person that was exported", "FILE").add_argument(
        "--as", dest="name", metavar="NAME", help="under another name"
    )
    return parser


def _show(gallery: Gallery, options: argparse.Namespace) -> str:
    import numpy as np

    from face_af_gallery.model import GalleryError

    samples = gallery.samples(options.name)
    if not samples:
        raise GalleryError(f"there is no {options.name} in the gallery; there are {', '.join(gallery.names[:20])}")
    lines = []
    for sample in samples:
        scores = gallery.scores(gallery.embedding(sample)[None])[0].copy()
        own = gallery.column(sample.identity)
        if own is not None:
            scores[own] = -np.inf
        other = ""
        if len(scores) > 1:
            best = int(scores.argmax())
            other = f", nearest other {gallery.names[best]} {scores[best]:.2f}"
        what = "not this person, " if sample.negative else ""
        lines.append(f"{sample.id}  {what}quality {sample.quality:.2f}, {sample.added or 'date unknown'}{other}")
    return "\n".join(lines)


def _rename(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work
    from face_af_gallery.voices import rename_voice

    with gallery.changing():
        count = daily_work.rename(gallery, options.name, options.new)
    rename_voice(options.gallery, options.name, options.new)
    return f"{options.name} is {options.new} now, {count} samples"


def _merge(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work
    from face_af_gallery.voices import rename_voice

    with gallery.changing():
        count = daily_work.merge(gallery, options.name, options.into)
    rename_voice(options.gallery, options.name, options.into)
    return f"{count} samples of {options.name} are {options.into}'s now"


def _move(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work

    with gallery.changing():
        sample = daily_work.move(gallery, options.sample, options.name)
    return f"{sample.id} was {sample.identity}'s and is {options.name}'s now"


def _remove(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work

    with gallery.changing():
        sample = daily_work.remove(gallery, options.sample)
    return f"{sample.id} of {sample.identity} is removed"


def _export(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work

    count = daily_work.export(gallery, options.name, options.file)
    return f"{options.file}: {count} samples of {options.name}; it shows their face: keep it like the gallery"


def _import(gallery: Gallery, options: argparse.Namespace) -> str:
    from face_af_gallery import daily_work

    found, samples = daily_work.read_export(options.file)
    name = options.name or found
    with gallery.changing():
        count = daily_work.import_person(gallery, samples, name)
    return f"{name}: {count} samples are new, {len(samples) - count} were there already"


_COMMANDS: dict[str, Callable[[Gallery, argparse.Namespace], str]] = {
    "show": _show, "rename": _rename, "merge": _merge, "move": _move, "remove": _remove,
    "export": _export, "import": _import,
}  # fmt: skip
