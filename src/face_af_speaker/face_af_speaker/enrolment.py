"""Puts voices into a gallery: from recordings, parts of them, or folders with one folder of recordings a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from face_af_gallery.model import GalleryError
from face_af_gallery.voices import VoiceGallery

from .features import FRAMES_A_SECOND, Sound
from .identification import centred
from .networks import ActivityNetwork, Floats, VoiceEmbedder
from .segments import speech_of
from .sound_files import SUFFIXES, Piece, SoundError, blocks
from .voice_windows import embed_windows

GOOD_S = 5.0
"""Speech of one person below which names are uncertain; ten seconds are better."""
ALIKE = 0.25
"""Mean likeness of a recording's windows to their mean, below which several people seem to speak in it."""
MOST_S = 600.0
"""Of one recording; more is not read."""


@dataclass(frozen=True)
class Enrolled:
    """What came of one recording. ``alike``: mean likeness of its windows to their mean, -1 to 1."""

    source: str
    seconds: float
    alike: float


def embed_recording(
    activity: ActivityNetwork, embedder: VoiceEmbedder, source: Piece, channel: int = 0
) -> tuple[Floats, float]:
    """The windows' embeddings, N x 256, and the seconds of speech. Raises :class:`SoundError` for less than 0.8 s."""
    part = source if source.end else Piece(source.path, source.start, MOST_S)
    return embed_sound(activity, embedder, blocks(part, channel), str(source))


def embed_sound(
    activity: ActivityNetwork, embedder: VoiceEmbedder, sound: Iterable[Sound], what: str
) -> tuple[Floats, float]:
    """The same of sound from anywhere; ``what`` is what an error calls it."""
    mel = speech_of(activity, sound)
    windows = embed_windows(embedder, mel)
    if not len(windows):
        raise SoundError(f"{what}: there is no speech in it, or less than 0.8 s")
    return windows, len(mel) / FRAMES_A_SECOND


def enrol(
    gallery: VoiceGallery,
    networks: tuple[ActivityNetwork, VoiceEmbedder],
    name: str,
    sources: Iterable[Piece],
    say: Callable[[str], object],
    channel: int = 0,
) -> list[Enrolled]:
    """Adds each recording of ``name`` as a session. What cannot be used is told through ``say``, one line each."""
    done = []
    for source in sources:
        try:
            windows, seconds = embed_recording(*networks, source, channel)
            done.append(add_session(gallery, name, windows, seconds, str(source)))
        except SoundError as error:
            say(str(error))
    if done and (doubt := too_little(gallery, name)):
        say(doubt)
    return done


def add_session(gallery: VoiceGallery, name: str, windows: Floats, seconds: float, what: str) -> Enrolled:
    """Adds what was heard of ``name`` at one time. Raises :class:`SoundError` where several people seem to speak."""
    mean = np.asarray(windows.mean(0), np.float32)
    alike = float((centred(windows) @ centred(mean)).mean())
    if alike < ALIKE:
        raise SoundError(f"{what}: several people seem to speak (similarity {alike:.2f}); name a part: FILE@1:20-1:45")
    gallery.add(name, mean, seconds)
    return Enrolled(what, seconds, alike)


def too_little(gallery: VoiceGallery, name: str) -> str:
    """A line where a person has so little speech that names are uncertain; else empty."""
    total = sum(sample.seconds for sample in gallery.samples(name))
    if total >= GOOD_S:
        return ""
    return f"{name}: only {total:.1f} s of speech; names are uncertain with less than {GOOD_S:.0f} s, 10 s are better"


def recordings(place: Path) -> list[Path]:
    """The files with sound in a folder, or the file itself, by name. Raises :class:`SoundError` where there is none."""
    if not place.exists():
        raise SoundError(f"{place}: there is no such file or folder")
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts)]


def people_in(folder: Path) -> dict[str, list[Path]]:
    """One person for each folder in ``folder`` that has files with sound."""
    people = {path.name: recordings(path) for path in sorted(folder.iterdir()) if path.is_dir()}
    return {name: found for name, found in people.items() if found and not name.startswith(".")}


def open_voices(
    folder: Path, networks: tuple[ActivityNetwork, VoiceEmbedder], say: Callable[[str], object]
) -> VoiceGallery:
    """The voices of a gallery, or, in memory, those of a folder with one folder of recordings a person.

    Raises ``GalleryError``.
    """
    model_id = networks[1].model_id
    if (folder / "voices.json").exists():
        return VoiceGallery.open(folder, model_id)
    people = people_in(folder) if folder.is_dir() else {}
    if not people:
        raise GalleryError(
            f"{folder}: neither a gallery with voices nor a folder with one folder of recordings a person; "
            "`ros2 run face_af_speaker enrol` makes one"
        )
    gallery = VoiceGallery(None, model_id)
    for name, paths in people.items():
        enrol(gallery, networks, name, as_pieces(paths), say)
    if not gallery.names:
        raise GalleryError(f"{folder}: nobody's voice could be enrolled")
    return gallery


def as_pieces(paths: Sequence[Path]) -> list[Piece]:
    return [Piece(path) for path in paths]
