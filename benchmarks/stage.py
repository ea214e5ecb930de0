"""``./run bench stage``: cost of a simulated picture, and likeness of the target on stage to its photographs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from face_af_common.files import write_json
from face_af_common.images import from_bgr
from face_af_common.paths import model_dirs
from face_af_common.types import Box
from face_af_perception.detectors import Detection
from face_af_sim.cast import CastError, Prepared, prepare_stage
from face_af_sim.simulation import HDMI, Simulation


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench stage", description=__doc__)
    parser.add_argument("--frames", type=int, default=300, help="pictures for each row (default: %(default)s)")
    parser.add_argument("--people", default="", help="folder with one folder of photographs for each person")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    options = parser.parse_args(argv)
    try:
        prepared = prepare_stage(options.people, say=print)
    except CastError as error:
        print(f"bench stage: {error}", file=sys.stderr)
        return 1
    report: dict[str, Any] = {"cost_ms": {}, "similarity": []}
    print(f"{'picture':<24}{'min':>8}{'p50':>8}{'p95':>8}  ms, {len(prepared.figures)} people")
    for width, height in ((1280, 720), (1920, 1080)):
        for hdmi in HDMI:
            row = _cost(
                prepared, width, height, hdmi, options.seed, options.frames if hdmi == "clean" else options.frames // 4
            )
            report["cost_ms"][f"{width}x{height} {hdmi}"] = row
            print(f"{f'{width}x{height} {hdmi}':<24}" + "".join(f"{value:8.1f}" for value in row.values()))
    for models, folders in (("best models", model_dirs()), ("embedded models", [])):
        row = _similarity(prepared, folders, options.seed)
        report["similarity"].append({"models": models, **row})
        print(f"{models}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    if options.report:
        write_json(options.report, report)
    return 0


def _cost(prepared: Prepared, width: int, height: int, hdmi: str, seed: int, frames: int) -> dict[str, float]:
    """Milliseconds from nothing to a filled message."""
    from std_msgs.msg import Header

    show = Simulation(prepared.figures, prepared.target, seed=seed, width=width, height=height, hdmi=hdmi)
    taken = []
    for k in range(frames):
        started = time.perf_counter()
        from_bgr(show.frame(k / 30).picture, Header())
        taken.append((time.perf_counter() - started) * 1e3)
    low, middle, high = np.percentile(taken, [0, 50, 95])
    return {"min": float(low), "p50": float(middle), "p95": float(high)}


def _similarity(prepared: Prepared, folders: Sequence[Path], seed: int) -> dict[str, Any]:
    """Similarity to the best enrolment photograph, of the target and of everybody else, over a minute on stage."""
    from face_af_gallery.gallery import Gallery
    from face_af_perception.analyser import FaceAnalyser

    analyser = FaceAnalyser.open(model_dirs=folders)
    gallery = Gallery(None, analyser.embedder)
    for photo in sorted((prepared.enrolment / prepared.target).iterdir()):
        picture = np.asarray(cv2.imread(str(photo)), np.uint8)
        analyser.enrol(gallery, prepared.target, picture, analyser.analyse(picture)[0])
    show = Simulation(prepared.figures, prepared.target, seed=seed)
    own: list[float] = []
    others: list[float] = []
    unseen = 0
    for k in range(60 * 10):
        frame = show.frame(k / 10)
        if k % 7:
            continue
        found = analyser.detector.detect(frame.picture)
        for actor in frame.actors:
            if actor.name not in frame.camera.detected or actor.visible < 0.9:
                continue
            face = _best(found, actor.face)
            if face is None:
                unseen += 1
                continue
            row = analyser.embed_landmarks(frame.picture, [face.landmarks])[0]
            (own if actor.name == prepared.target else others).append(gallery.match(row[None])[0].similarity)
    return {
        "target_p5": round(float(np.percentile(own, 5)), 3),
        "target_p50": round(float(np.median(own)), 3),
        "others_max": round(float(max(others)), 3),
        "faces": len(own) + len(others),
        "not_found": unseen,
    }


def _best(found: Sequence[Detection], box: Box) -> Detection | None:
    """The detection of the face in ``box``, if there is one."""
    alike = [(face.box.iou(box), i) for i, face in enumerate(found)]
    overlap, index = max(alike, default=(0.0, 0))
    return found[index] if overlap >= 0.4 else None


if __name__ == "__main__":
    sys.exit(main())
