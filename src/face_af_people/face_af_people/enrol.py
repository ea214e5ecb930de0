"""``ros2 run face_af_people enrol``: puts people into a gallery, and shows who is in it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from face_af_common.paths import gallery_dir
from face_af_gallery.voices import remove_voice

from .models import add_model_options, complain, open_analyser
from .photos import PhotoError, people_in, photos_in

if TYPE_CHECKING:
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser

    from .enrolment import Enrolled

EPILOG = """examples:
  enrol --name anna anna1.jpg anna2.jpg     two photos of one person
  enrol --name anna photos/anna             every photo in a folder
  enrol people                              a folder with one folder of photos a person
  enrol --name anna show.mp4                the clearest face of a video, shown before it is enrolled
  enrol --name anna --seconds 10 0          of a camera; also /dev/video0, rtsp://…
  enrol --name anna --negative twin.jpg     a person who must not be taken for anna
  enrol --voice anna anna.wav show.mp4@1:20-1:45    a person's voice (`face_af_speaker enrol` has its options)
  enrol --list                              who is known
  enrol --remove anna"""


NOT_KNOWN = (
    "Recordings, crops, annotated images, exports and copies of the gallery are not looked for: remove those yourself "
    "(docs/privacy.md). A running perception forgets the person within a second."
)


def main(argv: Sequence[str] | None = None) -> int:
    if "--voice" in (sys.argv[1:] if argv is None else argv):
        from face_af_speaker.enrol import main as enrol_voice

        return enrol_voice(argv)
    parser = argparse.ArgumentParser(
        prog="enrol", description=(__doc__ or "").split(": ", 1)[1], epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("photos", nargs="*", metavar="PHOTO", help="photos, folders of photos, or a video or camera")
    parser.add_argument("--gallery", type=Path, default=gallery_dir(), metavar="DIR", help="the gallery's folder")
    parser.add_argument("--name", help="the person's name; without it the names are those of the folders")
    parser.add_argument("--largest", action="store_true", help="take the largest face of group photos")
    parser.add_argument("--keep-outliers", action="store_true", help="also take photos that look like another person")
    parser.add_argument("--negative", action="store_true", help="the photos show a person who is not this person")
    parser.add_argument("--masked", action="store_true", help="the photos show people with masks over mouth and nose")
    parser.add_argument("--yes", action="store_true", help="videos: enrol the clearest face without asking")
    parser.add_argument("--seconds", type=float, default=0.0, help="of a video or camera (all of it; a camera: 10)")
    parser.add_argument("--most", type=int, default=1, help="faces to enrol of the chosen track of a video (1)")
    parser.add_argument("--list", action="store_true", help="show who is in the gallery")
    parser.add_argument("--remove", metavar="NAME", help="remove a person from the gallery")
    add_model_options(parser)
    options = parser.parse_args(argv)
    if not options.photos and not options.list and not options.remove:
        parser.error("photos are needed, or --list, or --remove")
    if options.negative and not options.name:
        parser.error("--negative needs --name")
    if options.most < 1 or options.seconds < 0:
        parser.error("--most must be at least 1, --seconds at least 0")

    from face_af_gallery.gallery import Gallery
    from face_af_gallery.model import GalleryError
    from face_af_inference.runtimes import ModelError

    from .video_enrolment import is_video

    try:
        analyser = open_analyser(options)
        gallery = Gallery.open(
            options.gallery,
            analyser.embedder,
            create=bool(options.photos),
            progress=_embedding_again,
        )
        status = 0
        if options.remove:
            status = _remove(gallery, options.remove)
        if options.photos:
            videos = [is_video(place) for place in options.photos]
            if any(videos) and not all(videos):
                raise PhotoError("photographs and videos are enrolled one after the other: give either")
            status = (_enrol_videos if any(videos) else _enrol)(options, analyser, gallery)
        if options.list:
            _list(gallery)
        return status
    except (GalleryError, ModelError, PhotoError) as error:
        complain(error)
        return 2


def _embedding_again(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\rembedding the gallery again with this model: {done}/{total}", end=end, flush=True)


def _enrol(options: argparse.Namespace, analyser: FaceAnalyser, gallery: Gallery) -> int:
    from tqdm import tqdm

    from .enrolment import enrol_person

    people = _people(options)
    results = []
    total = sum(map(len, people.values()))
    with tqdm(total=total, unit="photo", desc="enrolling", disable=None, leave=False) as bar:

        def seen(paths: list[Path]) -> Iterator[Path]:
            for path in paths:
                yield path
                bar.update()

        for name, paths in people.items():
            results.append(
                enrol_person(
                    gallery,
                    analyser,
                    name,
                    seen(paths),
                    largest=options.largest,
                    keep_outliers=options.keep_outliers,
                    negative=options.negative,
                    masked=options.masked,
                    say=bar.write,
                )
            )
    if any(result.added for result in results):
        gallery.save()
    for result in results:
        print(_summary(result, options.negative))
    print(_total(gallery))
    return 0 if any(result.added or result.known for result in results) else 1


def _enrol_videos(options: argparse.Namespace, analyser: FaceAnalyser, gallery: Gallery) -> int:
    from .enrolment import looks_like
    from .video_enrolment import chosen, clearest

    if not options.name:
        raise PhotoError(f"{options.photos[0]}: who is it? Give --name; `extract` sorts the faces of everybody in it")
    count = 0
    for source in options.photos:
        track = chosen(clearest(analyser, source, options.seconds, options.most), options.name, yes=options.yes)
        if track is None:
            print(f"{source}: nobody was enrolled")
            continue
        for face in track.faces[: options.most]:
            if other := looks_like(gallery, analyser, options.name, face.embedding):
                complain(f"{source}, frame {face.index}: {other}; is it really {options.name}?")
        with gallery.changing():
            for face in track.faces[: options.most]:
                gallery.add(options.name, face.chip, face.embedding, face.quality, options.negative, options.masked)
                count += 1
                print(f"{source}: frame {face.index} is {options.name}'s now, quality {face.quality:.2f}")
    print(_total(gallery))
    return 0 if count else 1


def _people(options: argparse.Namespace) -> dict[str, list[Path]]:
    """The photographs to enrol, by person."""
    options.photos = [Path(place) for place in options.photos]
    for place in options.photos:
        if not place.exists():
            raise PhotoError(f"{place}: there is no such file or folder")
    if options.name:
        return {options.name: photos_in(options.photos)}
    people: dict[str, list[Path]] = {}
    for place in options.photos:
        found = people_in(place) if place.is_dir() else {}
        if not found:
            raise PhotoError(f"{place}: whose photos? Give --name, or a folder with one folder of photos a person")
        for name, paths in found.items():
            people.setdefault(name, []).extend(paths)
    return people


def _remove(gallery: Gallery, name: str) -> int:
    with gallery.changing():  # whoever enrols the person at the same time comes after it, or goes with it
        count = gallery.remove(name)
    sessions = remove_voice(gallery.folder, name) if gallery.folder is not None else 0
    if not count and not sessions:
        complain(f"there is no {name} in {gallery.folder}; there are {', '.join(gallery.names) or 'nobody'}")
        return 1
    print(f"{name}: {count} samples removed" + (f", and {sessions} sessions of the voice" if sessions else ""))
    print(NOT_KNOWN)
    return 0


def _summary(result: Enrolled, negative: bool) -> str:
    parts = [f"{len(result.added)} {'not this person, ' if negative else ''}enrolled"]
    if result.known:
        parts.append(f"{len(result.known)} known already")
    if result.outliers:
        parts.append(f"{len(result.outliers)} left out as outliers")
    if result.skipped:
        parts.append(f"{result.skipped} skipped")
    alike = ""
    if result.alike_least < 1:
        alike = f"; similarity {result.alike_mean:.2f} on average, {result.alike_least:.2f} at least"
    return f"{result.name}: {', '.join(parts)}{alike}"


def _list(gallery: Gallery) -> None:
    for name in sorted({sample.identity for sample in gallery.samples()}):
        samples = gallery.samples(name)
        negative = sum(sample.negative for sample in samples)
        masked = sum(sample.masked for sample in samples)
        best = max(sample.quality for sample in samples)
        line = f"{name}: {len(samples) - negative} samples, quality {best:.2f} at best"
        print(line + (f", {masked} with a mask" if masked else "") + (f", {negative} of others" if negative else ""))
    print(_total(gallery))


def _total(gallery: Gallery) -> str:
    people, samples = len(gallery.names), len(gallery)
    counted = f"{people} {'person' if people == 1 else 'people'}, {samples} sample{'' if samples == 1 else 's'}"
    return f"{gallery.folder}: {counted}, model {gallery.model_id}"
