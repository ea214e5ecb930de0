"""``./run bench perception``: speed with 0, 1, 5 and 15 real faces, each step's share, and the plain way beside it.

The plain way embeds every face on every frame, one by one. Both see the same frames, in turns, so that a busy machine
disturbs both alike. Photographs come from ``--faces DIR`` (or ``FACE_AF_TEST_FACES``), else from the demo's samples.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import face_af_perception  # noqa: F401  before NumPy: it sets the threads of OpenBLAS
from face_af_common.files import write_json

# isort: split

import cv2
import numpy as np
import psutil
from photo_faces import largest_faces, photographs

from face_af_common.params import build
from face_af_common.paths import model_dirs
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Sample
from face_af_inference.runtimes import RUNTIMES, ModelError
from face_af_perception.alignment import Picture
from face_af_perception.analyser import FaceAnalyser
from face_af_perception.params import PerceptionNodeParams
from face_af_perception.pipeline import STEPS, FacePipeline

SETS = {
    "ensemble": ("scrfd", "mobilefacenet+dlib"),
    "scrfd": ("scrfd", "mobilefacenet"),
    "centerface": ("centerface", "dlib"),
}
WIDTH, HEIGHT = 1920, 1080
FACE_COUNTS = (0, 1, 5, 15)
STEP_PX = 3
LEAST_FPS = {5: 45.0, 15: 40.0}
"""Frames a second that ``--check`` asks of the ensemble, by number of faces, on two cores."""
MATCHING_MS = 1.0
"""What matching 5 faces with 10,000 people may take."""
FRAME_S = 1 / 30


@dataclass
class Row:
    """What was measured with so many faces; milliseconds."""

    faces: int
    spent: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    """Processor time of all threads: hardly changes on a busy machine."""
    plain: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})

    def figures(self) -> dict[str, object]:
        ours, plain = np.array(self.spent), np.array(self.plain)
        return {
            "faces": self.faces,
            "fps": round(1e3 / float(np.mean(ours)), 1),
            "p50_ms": round(float(np.median(ours)), 2),
            "p95_ms": round(float(np.percentile(ours, 95)), 2),
            "best_ms": round(float(ours.min()), 2),
            "cpu_ms": round(float(np.median(self.processor)), 2),
            "steps_ms": {step: round(float(np.mean(values)), 2) for step, values in self.steps.items()},
            "plain_p50_ms": round(float(np.median(plain)), 2),
            "plain_best_ms": round(float(plain.min()), 2),
            "ratio": round(float(np.median(plain) / np.median(ours)), 2),
        }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench perception", description=__doc__)
    parser.add_argument("--faces", type=Path, help="folder with photographs of people")
    parser.add_argument("--frames", type=int, default=120, help="frames measured for each number of faces")
    parser.add_argument("--threads", type=int, default=2, help="threads of a network on the CPU")
    parser.add_argument("--runtime", default="auto", choices=RUNTIMES)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 384), metavar=("W", "H"), help="detector's input")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS), help="which models")
    parser.add_argument("--people", type=int, default=10_000, help="people in the gallery of the matching test")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1, one line for each missed figure")
    options = parser.parse_args(argv)
    folder = options.faces or Path(os.environ.get("FACE_AF_TEST_FACES", "") or _samples())
    report: dict[str, object] = {"threads": options.threads, "size": list(options.size), "sets": {}}
    measured: dict[str, object] = {}
    cv2.setNumThreads(1)  # as in the node
    for name in options.sets:
        try:
            measured[name] = _measure(*SETS[name], folder, options)
        except (ModelError, NoFaces) as error:
            print(f"{' + '.join(SETS[name])}: {error}", file=sys.stderr)
    report["sets"] = measured
    if options.report:
        write_json(options.report, report)
    lines = missed(measured) if options.check else []
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    return 1 if lines or not measured else 0


def missed(measured: Mapping[str, Any]) -> list[str]:
    """A line for each figure of the ensemble that is not reached."""
    found = measured.get("ensemble")
    if found is None:
        return ["ensemble: not measured"]
    rates = {row["faces"]: row["fps"] for row in found["rows"]}
    lines = [
        f"ensemble, {faces} faces: {rates[faces]} frames a second, {least:.0f} asked"
        for faces, least in LEAST_FPS.items()
        if rates[faces] < least
    ]
    if found["people"] >= 10_000 and found["matching_ms"] > MATCHING_MS:
        lines.append(f"matching 5 faces with {found['people']} people: {found['matching_ms']} ms, {MATCHING_MS} asked")
    return lines


class NoFaces(Exception):
    """There are no photographs to make frames from."""


def _measure(detector: str, embedder: str, folder: Path, options: argparse.Namespace) -> dict[str, object]:
    analyser = FaceAnalyser.open(
        detector,
        embedder,
        model_dirs=model_dirs(),
        detector_size=tuple(options.size),
        runtime=options.runtime,
        threads=options.threads,
        on_progress=print,
    )
    analyser.warm_up()
    heads = _heads(folder, analyser)
    if not heads:
        raise NoFaces(f"no faces in the photographs of {folder}; give --faces DIR")
    gallery = Gallery(None, analyser.embedder)
    for i, head in enumerate(heads[:12]):
        face = analyser.analyse(head)[0]
        # photographs of one person must not stand for two: between equals nobody is named
        match = gallery.match(face.embedding[None])[0]
        name = match.identity if match.similarity >= gallery.threshold else f"person {i + 1}"
        analyser.enrol(gallery, name, head, face)
    name = f"{analyser.detector.spec.name} + {analyser.embedder.name} by {analyser.embedder.runtime}"
    print(f"\n{name}, {options.threads} threads, {options.size[0]}x{options.size[1]} of {WIDTH}x{HEIGHT}")
    heading = "".join(f"{key:>7}" for key in ("fps", "p50", "p95", "best", "cpu"))
    print(f"{'faces':>5}{heading} |" + "".join(f"{s:>8}" for s in STEPS), end="")
    print(f" | {'plain p50':>9} {'best':>6} {'ratio':>6}   milliseconds")
    rows = []
    for count in FACE_COUNTS:
        row = _run(count, heads, analyser, gallery, options.frames)
        figures = row.figures()
        steps = figures["steps_ms"]
        assert isinstance(steps, dict)
        speed = "".join(f"{figures[key]:>7}" for key in ("fps", "p50_ms", "p95_ms", "best_ms", "cpu_ms"))
        plain = f"{figures['plain_p50_ms']:>9} {figures['plain_best_ms']:>6} {figures['ratio']:>6}"
        print(f"{count:>5}{speed} |" + "".join(f"{steps[s]:>8}" for s in STEPS) + f" | {plain}")
        rows.append(figures)
    batch = _batch_of_eight(analyser, heads)
    matching = _matching(analyser, options.people)
    memory = psutil.Process().memory_info().rss / 2**20
    print(f"detector + 8 embeddings in one batch: p50 {batch:.2f} ms")
    print(f"matching 5 faces with {options.people} people ({analyser.embedder.dimension}-d): p50 {matching:.3f} ms")
    print(f"resident memory of this process: {memory:.0f} MB")
    return {
        "models": name,
        "rows": rows,
        "detector_plus_8_ms": round(batch, 3),
        "matching_ms": round(matching, 4),
        "people": options.people,
        "memory_mb": round(memory),
    }


def _run(count: int, heads: list[Picture], analyser: FaceAnalyser, gallery: Gallery, frames: int) -> Row:
    pictures = [_frame(heads, count, step * STEP_PX) for step in range(8)]
    pictures += pictures[-2:0:-1]
    pipeline = FacePipeline(build(PerceptionNodeParams, {"target": "person 1"}), analyser, gallery)
    row = Row(count)
    for i in range(frames):
        picture = pictures[i % len(pictures)]
        started, processor = time.perf_counter(), time.process_time()
        pipeline.process(picture, i * FRAME_S)
        row.spent.append((time.perf_counter() - started) * 1e3)
        row.processor.append((time.process_time() - processor) * 1e3)
        for step in STEPS:
            row.steps[step].append(pipeline.timings[step])
        if i % 4 == 0:
            started = time.perf_counter()
            _plain(picture, analyser, gallery)
            row.plain.append((time.perf_counter() - started) * 1e3)
    return row


def _plain(picture: Picture, analyser: FaceAnalyser, gallery: Gallery) -> None:
    """No tracking, no batches: each face embedded and matched by itself, on every frame."""
    for face in analyser.detector.detect(picture):
        gallery.match(analyser.embedder.embed(picture, [face.landmarks]))


def _batch_of_eight(analyser: FaceAnalyser, heads: list[Picture]) -> float:
    picture = _frame(heads, 5, 0)
    landmarks = [analyser.detector.detect(picture)[0].landmarks] * 8
    spent = []
    for _ in range(30):
        started = time.perf_counter()
        analyser.detector.detect(picture)
        analyser.embedder.embed(picture, landmarks)
        spent.append((time.perf_counter() - started) * 1e3)
    return float(np.median(spent))


def _matching(analyser: FaceAnalyser, people: int) -> float:
    random = np.random.default_rng(0)
    gallery = Gallery(None, analyser.embedder)
    rows = random.standard_normal((people, analyser.embedder.dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    landmarks = np.zeros((5, 2), np.float32)
    for i, row in enumerate(rows):
        sample = Sample(f"{i:016x}", f"person {i:05}", 1.0, False, landmarks)
        gallery.add_embedded(sample, row)
    probes = np.ascontiguousarray(rows[:5])
    gallery.match(probes)
    spent = []
    for _ in range(100):
        started = time.perf_counter()
        gallery.match(probes)
        spent.append((time.perf_counter() - started) * 1e3)
    return float(np.median(spent))


def _heads(folder: Path, analyser: FaceAnalyser, height: int = 330) -> list[Picture]:
    """Real heads cut from photographs, all of one size."""
    heads = []
    for _, picture, face in largest_faces(photographs(folder), analyser):
        box = face.box.grown(0.35)
        top, left = max(0, int(box.y)), max(0, int(box.x))
        cut = picture[top : int(box.bottom), left : int(box.right)]
        if min(cut.shape[:2]) < 60:
            continue
        scale = height / cut.shape[0]
        size = (min(360, int(cut.shape[1] * scale)), height)
        head = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
        if len(analyser.find(head)) == 1:
            heads.append(head)
        if len(heads) == max(FACE_COUNTS):
            break
    return heads


def _frame(heads: list[Picture], count: int, shift: int) -> Picture:
    """A frame with ``count`` heads on a grid of 5 x 3, all moved by ``shift`` pixels."""
    frame = np.full((HEIGHT, WIDTH, 3), (70, 60, 50), np.uint8)
    for i in range(count):
        head = heads[i % len(heads)]
        x, y = 10 + (i % 5) * 380 + shift, 15 + (i // 5) * 350
        part = frame[y : y + head.shape[0], x : x + head.shape[1]]
        part[:] = head[: part.shape[0], : part.shape[1]]
    return frame


def _samples() -> Path:
    from face_af_sim.samples import samples_dir

    return samples_dir()


if __name__ == "__main__":
    sys.exit(main())
