"""Detector and eight embeddings in every runtime that works here."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from face_af_common.files import write_json
from face_af_common.paths import data_dir, model_dirs
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import RUNTIMES, ModelError, Runner, open_runner

FACES = 8


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench runtimes", description=__doc__)
    parser.add_argument("--detector", default="auto", help="a name in the model manifest, or auto")
    parser.add_argument("--embedder", default="auto", help="a name in the model manifest, or auto")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(640, 384), metavar=("W", "H"), help="the detector's input"
    )
    parser.add_argument("--precision", choices=("fp16", "fp32"), default="fp16")
    parser.add_argument("--threads", type=int, default=2, help="threads on the CPU (2)")
    parser.add_argument("--frames", type=int, default=100, help="measured frames (100)")
    parser.add_argument("--report", type=Path, help="writes the figures as JSON")
    options = parser.parse_args(argv)
    try:
        manifest = load_manifest()
        chosen = [manifest.choose(kind, getattr(options, kind), model_dirs()) for kind in ("detector", "embedder")]
        networks = [spec.network() for spec in chosen]
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    shape = (options.size[1], options.size[0])
    results: dict[str, dict[str, float]] = {}
    for runtime in RUNTIMES:
        if runtime in ("auto", "onnxruntime"):
            continue
        shared: dict[str, Any] = {
            "runtime": runtime, "threads": options.threads, "precision": options.precision, "batch_max": FACES,
            "cache_dir": data_dir() / "engines", "on_progress": lambda line: print(line, flush=True),
        }  # fmt: skip
        try:
            detector = open_runner(networks[0], shape=shape, **shared)
            embedder = open_runner(networks[1], **shared)
        except ModelError as error:
            print(f"{runtime}: {error}")
            continue
        side = chosen[1].size or (112, 112)
        results[runtime] = measure(detector, embedder, shape, side, options.frames)
    _print(results, [spec.model_id for spec in chosen])
    if options.report:
        machine = {"machine": platform.machine(), "processor": platform.processor()}
        data = {**machine, "models": [spec.model_id for spec in chosen], "size": options.size, "runtimes": results}
        write_json(options.report, data)
    return 0


def measure(
    detector: Runner, embedder: Runner, shape: tuple[int, int], side: tuple[int, int], frames: int
) -> dict[str, float]:
    """Milliseconds of a frame: detector, eight embeddings, both; from host memory to host memory."""
    rng = np.random.default_rng(1)
    picture = rng.uniform(-1, 1, (1, 3, *shape)).astype(np.float32)
    faces = rng.uniform(-1, 1, (FACES, 3, side[1], side[0])).astype(np.float32)
    times = np.empty((frames, 2))
    for frame in range(-10, frames):
        start = time.perf_counter()
        detector.run(picture)
        middle = time.perf_counter()
        embedder.run(faces)
        if frame >= 0:
            times[frame] = middle - start, time.perf_counter() - middle
    times *= 1e3
    return {
        "detector_p50_ms": float(np.median(times[:, 0])),
        "embeddings_p50_ms": float(np.median(times[:, 1])),
        "both_p50_ms": float(np.median(times.sum(1))),
        "both_p95_ms": float(np.percentile(times.sum(1), 95)),
    }


def _print(results: dict[str, dict[str, float]], models: list[str]) -> None:
    print(f"\n{' + '.join(models)}, one frame and {FACES} faces\n")
    print("| runtime | detector p50 ms | embeddings p50 ms | both p50 ms | both p95 ms | against CUDA |")
    print("| --- | --- | --- | --- | --- | --- |")
    cuda = results.get("onnxruntime-cuda", {}).get("both_p50_ms")
    for name, row in results.items():
        ratio = f"{cuda / row['both_p50_ms']:.2f}x" if cuda else "-"
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row.values()) + f" | {ratio} |")


if __name__ == "__main__":
    sys.exit(main())
