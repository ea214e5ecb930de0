"""Mutated files through the functions that every node and tool reads them with."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_af_common.encodings import ImageError
from face_af_common.files import FileError
from face_af_common.image_files import read_image
from face_af_common.params import ParamError
from face_af_common.paths import share_dir
from face_af_gallery.files import GalleryFolder
from face_af_gallery.foreign import read_array_file, read_people, read_png
from face_af_gallery.model import GalleryError, Sample
from face_af_gallery.voices import VoiceGallery
from face_af_inference.manifest import read_manifest
from face_af_inference.runtimes import ModelError
from face_af_overlay import presets
from face_af_recording.bag.bag_folder import RecordingError
from face_af_recording.replay import settings
from face_af_steering.recipe import RecipeError, load
from nikon_mcn10_driver.profile import ProfileError
from nikon_mcn10_driver.profile_format import load_profile

from .mutations import mutated

PATIENCE_S = 2.0
_EXPECTED = (FileError, ImageError, ParamError, GalleryError, ModelError, RecordingError, RecipeError, ProfileError)


def attack(folder: Path, rounds: int, rng: random.Random) -> dict[str, Any]:
    """Counts and findings for each kind of file."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {}
    for name, (good, read) in _kinds(folder).items():
        path = folder / f"mutated{good.suffix}"
        outcomes: Counter[str] = Counter()
        findings: list[str] = []
        slowest, data = 0.0, good.read_bytes()
        for _ in range(rounds):
            path.write_bytes(mutated(data, rng))
            began = time.process_time()
            outcome = _tried(read, path)
            slowest = max(slowest, time.process_time() - began)
            outcomes["read" if not outcome else "refused" if outcome == "refused" else "finding"] += 1
            if outcome not in ("", "refused") and outcome not in findings:
                findings.append(outcome)
                (folder / f"{name.replace(' ', '_')}-{len(findings)}{good.suffix}").write_bytes(path.read_bytes())
        if slowest > PATIENCE_S:
            findings.append(f"took {slowest:.1f} s")
        report[name] = {"tries": rounds, **outcomes, "slowest_s": round(slowest, 3), "findings": findings}
    return report


def _tried(read: Callable[[Path], object], path: Path) -> str:
    """Empty where the file was read; ``refused`` with one line; else what went wrong."""
    try:
        read(path)
    except _EXPECTED as error:
        return "refused" if len(str(error).splitlines()) == 1 else f"not one line: {str(error)[:200]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    return ""


def _kinds(folder: Path) -> dict[str, tuple[Path, Callable[[Path], object]]]:
    """A good file of each kind, and how it is read."""
    config = share_dir() / "config"
    good = folder / "good"
    good.mkdir(exist_ok=True)
    gallery = GalleryFolder(good / "gallery")
    key = "0123456789abcdef"
    picture = np.random.default_rng(1).integers(0, 255, (256, 256, 3), np.uint8)
    with gallery.locked():
        gallery.write_chip(key, cv2.GaussianBlur(picture, (0, 0), 3).astype(np.uint8))
        gallery.write_embeddings("model", {key: np.ones(128, np.float32)})
        gallery.write_samples([Sample(key, "anna", 0.9, False, np.ones((5, 2), np.float32), "2026-01-01")])
    voices = VoiceGallery.open(good / "gallery", "model", create=True)
    voices.add("anna", np.ones(64, np.float32), 3.0)
    cv2.imwrite(str(good / "photo.jpg"), picture)
    return {
        "parameters": (config / "face_af.yaml", settings.from_file),
        "manifest": (share_dir() / "models" / "models.yaml", read_manifest),
        "profile": (config / "remote" / "virtual_z8.yaml", lambda path: load_profile(str(path), path.parent)),
        "recipe": (config / "recipes" / "time_line.yaml", load),
        "preset": (config / "overlay" / "nikon_z8.yaml", lambda path: presets.load(str(path))),
        "gallery.json": (good / "gallery" / "gallery.json", read_people),
        "chip": (good / "gallery" / "chips" / f"{key}.png", lambda path: read_png(path, 256)),
        "embeddings": (good / "gallery" / "embeddings-model.npz", read_array_file),
        "voices.json": (good / "gallery" / "voices.json", _read_voices),
        "photograph": (good / "photo.jpg", read_image),
    }


def _read_voices(path: Path) -> object:
    with _as(path, path.with_name("voices.json")) as place:
        return VoiceGallery.open(place.parent, "model")


@contextmanager
def _as(path: Path, name: Path) -> Iterator[Path]:
    name.unlink(missing_ok=True)
    name.hardlink_to(path)
    yield name
    name.unlink()
