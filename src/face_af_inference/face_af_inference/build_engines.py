"""``ros2 run face_af_inference build_engines``: builds TensorRT's engines ahead, so that the first start is quick."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from face_af_common.paths import data_dir, model_dirs

from .choosing import choose_embedders
from .manifest import load_manifest
from .model_files import ModelSpec
from .runtimes import RUNTIMES, ModelError, Runner, open_runner


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="build_engines", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("--detector", default="auto", help="a name in the model manifest, or auto")
    parser.add_argument("--embedder", default="auto", help="a name in the model manifest, several joined by +, or auto")
    parser.add_argument("--width", type=int, default=640, help="width that the detector works at, a multiple of 32")
    parser.add_argument("--height", type=int, default=384, help="height that the detector works at, a multiple of 32")
    parser.add_argument("--batch", type=int, default=8, help="most faces that the embedder takes at once")
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16")
    parser.add_argument("--runtime", choices=[r for r in RUNTIMES if r != "onnxruntime"], default="auto")
    parser.add_argument("--model-dir", default="", help="folder with weights; default: FACE_AF_MODEL_DIR, else models/")
    parser.add_argument("--manifest", type=Path, help="a manifest of your own, on top of the project's")
    parser.add_argument("--cache-dir", type=Path, default=data_dir() / "engines", help="where engines are kept")
    options = parser.parse_args(argv)
    if options.width % 32 or options.height % 32 or min(options.width, options.height, options.batch) < 1:
        parser.error("--width and --height must be multiples of 32, and --batch at least 1")
    try:
        manifest = load_manifest(options.manifest)
        dirs = model_dirs(options.model_dir)
        embedders, _ = choose_embedders(manifest, options.embedder, dirs)
        for spec in (manifest.choose("detector", options.detector, dirs), *embedders):
            shape = (options.height, options.width) if spec.kind == "detector" else None
            runner = open_runner(
                spec.network(),
                runtime=options.runtime,
                precision=options.precision,
                cache_dir=options.cache_dir,
                batch_max=options.batch,
                shape=shape,
                on_progress=lambda line: print(line, flush=True),
            )
            _report(spec, runner, shape, options.batch)
            runner.close()
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _report(spec: ModelSpec, runner: Runner, shape: tuple[int, int] | None, batch: int) -> None:
    count, channels, height, width = runner.input_shape
    picture = (channels or 3, height or (shape or (112, 112))[0], width or (shape or (112, 112))[1])
    faces = np.zeros((count or (1 if spec.kind == "detector" else batch), *picture), np.float32)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        runner.run(faces)
        times.append(time.perf_counter() - start)
    size = "x".join(map(str, faces.shape))
    print(f"{spec.name}: {runner.name}, {size}, {np.median(times) * 1e3:.2f} ms (median of {len(times)})")


if __name__ == "__main__":
    sys.exit(main())
