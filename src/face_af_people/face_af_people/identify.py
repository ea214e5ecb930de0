"""``ros2 run face_af_people identify``: who is on photographs and in videos."""

from __future__ import annotations

import argparse
import csv
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from face_af_common.files import write_json, write_text
from face_af_common.image_files import FOREIGN_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES
from face_af_common.paths import gallery_dir

from .contact_sheet import ContactSheet
from .identifier import Identified, Identifier, targets
from .models import add_model_options, complain, open_analyser
from .photos import PhotoError, people_in, photos_in
from .progress_file import ProgressFile

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser

MOST_JOBS = 64


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)

    from face_af_common.files import FileError
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    given, empty = expanded(options.inputs, options.recursive)
    for line in empty:
        complain(line)
    if not given:
        return 2
    try:
        analyser = open_analyser(options)
        gallery = open_gallery(options.gallery, analyser, options.largest)
        return _identify(options, given, analyser, gallery)
    except (GalleryError, ModelError, PhotoError) as error:
        complain(error)
        return 2
    except FileError as error:
        complain(error)
        return 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="identify", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("inputs", nargs="+", metavar="IMAGE_OR_VIDEO", help="photos, videos, or folders of them")
    parser.add_argument(
        "--gallery", type=Path, default=gallery_dir(), metavar="DIR",
        help="a gallery, or a folder with one folder of photos a person",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="OUT", help="writes {path: [{box, identity, similarity, score}]}")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="writes a table with one row a face")
    parser.add_argument("--sheet", type=Path, metavar="OUT", help="writes a contact sheet with names drawn (.jpg)")
    parser.add_argument("--recursive", action="store_true", help="also look into the folders of folders")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="writes each image or video with names drawn")
    parser.add_argument("--threshold", type=float, default=0.0, help="similarity from which on a face is named")
    parser.add_argument("--largest", action="store_true", help="people's group photos: take the largest face")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="inputs looked at at the same time (1)")
    parser.add_argument("--resume", action="store_true", help="go on where a run with the same --json was stopped")
    add_model_options(parser)
    options = parser.parse_args(argv)
    if not 1 <= options.jobs <= MOST_JOBS:
        parser.error(f"--jobs must be 1 to {MOST_JOBS}")
    if options.resume and not options.json:
        parser.error("--resume needs --json: beside it stands what was found so far")
    return options


def _identify(options: argparse.Namespace, given: Sequence[str], analyser: FaceAnalyser, gallery: Gallery) -> int:
    from tqdm import tqdm

    progress = _progress(options, analyser, gallery)
    earlier = dict(progress.found) if progress is not None else {}
    if earlier:
        complain(f"{len(earlier)} inputs were looked at before; going on")
    sheet = ContactSheet(options.sheet) if options.sheet else None
    results: dict[str, list[Any]] = {}
    failed: set[str] = set()
    not_written: list[str] = []
    with tqdm(total=len(given), unit="file", desc="identifying", disable=None) as bar:
        for name, done in zip(given, _looked_at(options, given, earlier, analyser, gallery), strict=True):
            results[name] = done.found
            bar.update()
            if done.problem:
                bar.write(done.problem)
                failed.add(name)
            elif progress is not None and name not in earlier:
                progress.add(name, done.found)
            if done.not_written:
                not_written.append(done.not_written)
            if sheet is not None and done.cell:
                sheet.add(done.cell)
    for line in not_written:
        complain(line)
    if sheet is not None:
        sheet.finish()
    if options.csv:
        write_csv(options.csv, results)
    if options.json:
        write_json(options.json, results)
    if progress is not None:
        progress.finish()
    if not options.json and not options.csv:
        _show({name: found for name, found in results.items() if name not in failed})
    return 1 if len(failed) == len(results) or not_written else 0


def _progress(options: argparse.Namespace, analyser: FaceAnalyser, gallery: Gallery) -> ProgressFile | None:
    if not options.json:
        return None
    depends = {"gallery": gallery.content, "threshold": options.threshold}
    depends["detector"] = analyser.detector.spec.model_id
    return ProgressFile(options.json, depends, options.resume)


def _looked_at(
    options: argparse.Namespace,
    given: Sequence[str],
    earlier: Mapping[str, list[Any]],
    analyser: FaceAnalyser,
    gallery: Gallery,
) -> Iterator[Identified]:
    """What is in each input, in their order; ``--jobs`` of them are looked at at the same time."""
    local = threading.local()
    spare = [analyser]  # the first thread need not open its models again
    if options.jobs > 1:
        _ = gallery.names, gallery.upper  # made here, not in several threads at once

    def one(name: str, target: Path | None) -> Identified:
        if not hasattr(local, "identifier"):
            models = spare.pop() if spare else open_analyser(options)
            local.identifier = Identifier(models, gallery, options.threshold, options.sheet is not None)
        identifier: Identifier = local.identifier
        if name in earlier:
            found = earlier[name]
            return Identified(found, cell=identifier.cell_again(Path(name), found) if options.sheet else b"")
        return identifier.identify(Path(name), target)

    where = targets(given, options.annotate)
    if options.jobs == 1:
        yield from map(one, given, where)
        return
    pool = ThreadPoolExecutor(options.jobs)
    try:
        yield from pool.map(one, given, where)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def open_gallery(folder: Path, analyser: FaceAnalyser, largest: bool = False) -> Gallery:
    """The gallery in ``folder``, or one in memory of a folder with one folder of photos a person.

    Photos that cannot be used are told on standard error. Raises ``GalleryError``, :class:`PhotoError`.
    """
    from tqdm import tqdm

    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError

    from .enrolment import enrol_person

    if (folder / "gallery.json").exists():
        return Gallery.open(folder, analyser.embedder)
    if not folder.is_dir():
        raise GalleryError(f"{folder}: there is no such gallery; `ros2 run face_af_people enrol` makes one")
    people = people_in(folder)
    gallery = Gallery(None, analyser.embedder)
    for name, paths in tqdm(people.items(), unit="person", desc="enrolling", disable=None, leave=False):
        enrol_person(gallery, analyser, name, paths, largest=largest, say=complain)
    if not gallery.names:
        raise GalleryError(f"{folder}: neither a gallery nor a folder with one folder of usable photos a person")
    return gallery


def write_csv(path: Path, results: dict[str, list[Any]]) -> None:
    """One row a face: file, frame (empty for a photograph), box, who it is. Raises ``FileError``."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["file", "frame", "x", "y", "width", "height", "identity", "similarity", "score"])
    for name, found in results.items():
        is_video = bool(found) and isinstance(found[0], list)
        for frame, faces in enumerate(found if is_video else [found]):
            for face in faces:
                who = [face["identity"], face["similarity"], face["score"]]
                writer.writerow([name, frame if is_video else "", *face["box"], *who])
    write_text(path, table.getvalue())


def expanded(inputs: Sequence[str], recursive: bool = False) -> tuple[list[str], list[str]]:
    """The paths as given, for a folder the photographs and videos in it; and a line for each folder without any."""
    found: list[str] = []
    empty: list[str] = []
    for given in inputs:
        folder = Path(given)
        if not folder.is_dir():
            found.append(given)
            continue
        known = IMAGE_SUFFIXES | FOREIGN_SUFFIXES | VIDEO_SUFFIXES
        folders = [folder]
        if recursive:
            folders += sorted(path for path in folder.rglob("*") if path.is_dir() and not path.name.startswith("."))
        inside = [str(path) for path in photos_in(folders) if path.suffix.lower() in known]
        if not inside:
            deeper = any(path.is_dir() for path in folder.iterdir())
            hint = f"; it has folders in it: give them, as in {folder}/*, or --recursive" if deeper else ""
            empty.append(f"{folder}: no photographs or videos in it{hint}")
        found += inside
    return found, empty


def _show(results: dict[str, list[Any]]) -> None:
    for path, found in results.items():
        if found and isinstance(found[0], list):
            names = sorted({face["identity"] for frame in found for face in frame if face["identity"]})
            print(f"{path}: {len(found)} frames, {', '.join(names) or 'nobody known'}")
        else:
            names = [f"{face['identity'] or 'unknown'} ({face['similarity']:.2f})" for face in found]
            print(f"{path}: {', '.join(names) or 'no face'}")
