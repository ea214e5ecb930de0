"""``ros2 run face_af_people extract``: every face of photographs, videos or a camera, in folders by likeness."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .models import add_model_options, complain, open_analyser
from .photos import PhotoError

if TYPE_CHECKING:
    from .face_tracks import FaceTrack

EPILOG = """examples:
  extract --out out/faces show.mp4 photos/       all faces of a video and of a folder of photographs
  extract --out out/faces --seconds 20 0         of the first camera, for 20 seconds
then name the folders in out/faces/people, and: enrol out/faces/people"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="extract", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("inputs", nargs="+", metavar="PHOTO|VIDEO|CAMERA", help="or folders of photos and videos")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--most", type=int, default=5, help="faces kept of each track, the clearest (5)")
    parser.add_argument("--quality", type=float, default=0.15, help="faces of less quality are left out, 0 to 1 (0.15)")
    parser.add_argument("--seconds", type=float, default=0.0, help="of each video or stream; 0: all of it (0)")
    add_model_options(parser)
    options = parser.parse_args(argv)
    if options.most < 1 or options.seconds < 0 or not 0 <= options.quality <= 1:
        parser.error("--most must be at least 1, --seconds at least 0, --quality 0 to 1")

    from face_af_common.files import FileError
    from face_af_inference.runtimes import ModelError

    try:
        return _extract(options)
    except (ModelError, PhotoError, FileError) as error:
        complain(error)
        return 2


def _extract(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from face_af_common import files

    from .face_tracks import is_stream, tracks
    from .identify import expanded

    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        raise PhotoError(f"{options.out}: not empty; choose a new folder, so that nothing in it is mixed up")
    if any(is_stream(name) for name in options.inputs) and not options.seconds:
        raise PhotoError("a camera never ends: say with --seconds how long to look")
    streams = [name for name in options.inputs if is_stream(name)]
    given, empty = expanded([name for name in options.inputs if not is_stream(name)])
    for line in empty:
        complain(line)
    analyser = open_analyser(options)
    found: list[FaceTrack] = []
    read = 0
    with tqdm([*streams, *given], unit="file", desc="looking for faces", disable=None, leave=False) as bar:
        for name in bar:
            try:
                found += tracks(analyser, name, most=options.most, seconds=options.seconds)
                read += 1
            except PhotoError as error:
                bar.write(str(error))
    found = [track for track in found if track.faces[0].quality >= options.quality]
    if not found:
        complain("no face that is clear enough was found" if read else "nothing could be read")
        return 1
    people = clusters(found, analyser.embedder.threshold)
    files.make_private(options.out)
    rows = write_people(options.out, people)
    write_sheet(options.out / "contact_sheet.jpg", people)
    count = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    print(f"{rows} faces of {len(found)} tracks, which look like {count}: {options.out / 'contact_sheet.jpg'}")
    print(f"name the folders in {options.out / 'people'}, then: ros2 run face_af_people enrol {options.out / 'people'}")
    return 0


def clusters(found: Sequence[FaceTrack], threshold: float) -> list[list[FaceTrack]]:
    """Tracks of one person each: alike (``threshold``) on average. Whoever was seen longest first."""
    from face_af_gallery.matching import similarity

    rows = np.stack([track.embedding for track in found])
    labels = np.ones(len(rows), int)
    if len(rows) > 1:
        from scipy.cluster.hierarchy import fcluster, linkage

        apart = np.maximum(1 - similarity(rows, rows), 0)
        upper = apart[np.triu_indices(len(rows), 1)]
        labels = fcluster(linkage(upper, "average"), 1 - threshold, "distance")
    people: dict[int, list[FaceTrack]] = {}
    for track, label in zip(found, labels, strict=True):
        people.setdefault(int(label), []).append(track)
    for mine in people.values():
        mine.sort(key=lambda track: -track.faces[0].quality)
    return sorted(people.values(), key=lambda mine: -sum(track.total for track in mine))


def write_people(folder: Path, people: Sequence[Sequence[FaceTrack]]) -> int:
    """Writes ``people/person_N/…jpg`` (crops), ``chips/person_N/…png`` and ``faces.csv``; returns how many faces."""
    import csv
    import io

    import cv2

    from face_af_common import files

    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["crop", "chip", "source", "frame", "quality"])
    count = 0
    for number, mine in enumerate(people, 1):
        name = f"person_{number:02d}"
        for track in mine:
            for face in track.faces:
                count += 1
                stem = f"{_stem(track.source)}_{face.index:06d}_{count:04d}"
                crop, chip = Path("people") / name / f"{stem}.jpg", Path("chips") / name / f"{stem}.png"
                files.write_bytes(folder / crop, cv2.imencode(".jpg", face.crop)[1].tobytes(), private=True)
                files.write_bytes(folder / chip, cv2.imencode(".png", face.chip.picture)[1].tobytes(), private=True)
                writer.writerow([crop, chip, track.source, face.index, f"{face.quality:.3f}"])
    files.write_text(folder / "faces.csv", table.getvalue(), private=True)
    return count


def _stem(source: Path) -> str:
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in source.stem)
    return stem[:40] or "camera"


def write_sheet(path: Path, people: Sequence[Sequence[FaceTrack]], side: int = 96, columns: int = 12) -> None:
    """One row a person: the number, and the clearest faces. Raises ``FileError``."""
    import cv2

    from face_af_common import files

    rows: list[Any] = []
    for number, mine in enumerate(people[:200], 1):
        faces = sorted((face for track in mine for face in track.faces), key=lambda face: -face.quality)
        row = np.zeros((side, side * (columns + 1), 3), np.uint8)
        cv2.putText(row, f"{number:02d}", (8, side // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
        cv2.putText(row, f"{len(faces)}", (8, side - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (160, 160, 160), 1)
        for column, face in enumerate(faces[:columns], 1):
            row[:, column * side : (column + 1) * side] = cv2.resize(face.chip.picture, (side, side))
        rows.append(row)
    files.write_bytes(path, cv2.imencode(".jpg", np.vstack(rows))[1].tobytes(), private=True)
