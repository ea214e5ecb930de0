"""The options with which a tool says which models to use, and the analyser made of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from face_af_common.paths import model_dirs

if TYPE_CHECKING:
    from face_af_perception.analyser import FaceAnalyser


def add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument("--detector", default="auto", help="entry, group or family of models/models.yaml, or auto")
    group.add_argument("--embedder", default="auto", help="as --detector; several joined by + work as one")
    group.add_argument("--model-dir", default="", metavar="DIR", help="folder with weights, before FACE_AF_MODEL_DIR")
    group.add_argument("--manifest", type=Path, metavar="FILE", help="a model manifest of your own")
    group.add_argument("--runtime", default="auto", help="auto, onnxruntime, tensorrt … (see docs/performance.md)")
    group.add_argument("--threads", type=int, default=2, help="threads of a network on the CPU (2)")


def open_analyser(options: argparse.Namespace) -> FaceAnalyser:
    """Detector and embedder as the options say. Raises ``ModelError``."""
    from face_af_perception.analyser import FaceAnalyser

    return FaceAnalyser.open(
        options.detector,
        options.embedder,
        model_dirs=model_dirs(options.model_dir),
        manifest=options.manifest,
        runtime=options.runtime,
        threads=options.threads,
    )


def complain(line: object) -> None:
    """One line on standard error."""
    print(line, file=sys.stderr, flush=True)
