"""The options that this package's tools share, and how they complain."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from face_af_common.files import FileError
from face_af_common.paths import gallery_dir, model_dirs
from face_af_gallery.model import GalleryError
from face_af_inference.runtimes import ModelError

from .networks import ActivityNetwork, VoiceEmbedder, open_networks
from .sound_files import SoundError


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--embedder", default="auto", help="a voice_embedder of models/models.yaml, or auto")
    parser.add_argument("--model-dir", default="", metavar="DIR", help="folder with weights, before FACE_AF_MODEL_DIR")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="a model manifest of your own")


def add_gallery(parser: argparse.ArgumentParser, what: str = "the gallery's folder") -> None:
    parser.add_argument("--gallery", type=Path, default=gallery_dir(), metavar="DIR", help=what)


def networks(options: argparse.Namespace) -> tuple[ActivityNetwork, VoiceEmbedder]:
    """Raises ``ModelError``."""
    return open_networks(options.embedder, model_dirs(options.model_dir), options.manifest)


def complain(line: object) -> None:
    """One line on standard error."""
    print(line, file=sys.stderr, flush=True)


def told(run: Callable[[], int]) -> int:
    """The exit status of ``run``; a user's mistake is one line and 2, Ctrl-C quiet and 130."""
    try:
        return run()
    except (FileError, GalleryError, ModelError, SoundError) as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        return 130
