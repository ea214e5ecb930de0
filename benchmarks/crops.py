"""``./run bench crops``: crops of one person from real video: who is found, how quickly, in how much memory.

Needs ``FACE_AF_TEST_MEDIA``, the folder with ``short_hamilton_clip.mp4``, ``lin-manuel-miranda.png``,
``intel_one-by-one-person.mp4`` and ``facenet_pytorch_video.mp4``. Longer videos are made of these by repeating their
packets, without encoding anything anew.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from crop_costs import memory, speed
from crop_runs import FIRST_VISIT, ROOM, Report, command, crops, first_person, repeated, rows_of

from face_af_common.files import write_json
from face_af_crops.settings import ratio

SINGER_NEAR, SINGER_FAR, CLIP = (83, 210), (0, 18), "short_hamilton_clip.mp4"
"""Frames in which the singer is to be seen, first and last."""


MOST_EXTRA, LEAST_REALTIME, KILLS = 0.25, 1.5, 10
MOST_GROWTH_MB = 60.0
"""Of the peak memory from five minutes of video to an hour: what the lists of stamps and sightings take."""


def singer(media: Path, work: Path) -> Report:
    """The singer's crops from both of his scenes and from nowhere else."""
    out = work / "singer"
    done = crops(media / CLIP, media / "lin-manuel-miranda.png", out)
    found = rows_of(out)
    frames = [int(row["frame"]) for row in found]
    near = [f for f in frames if SINGER_NEAR[0] <= f <= SINGER_NEAR[1]]
    far = [f for f in frames if SINGER_FAR[0] <= f <= SINGER_FAR[1]]
    return {
        "exit": done.returncode,
        "near": len(near),
        "far": len(far),
        "elsewhere": len(frames) - len(near) - len(far),
        "badly_framed": sum(not _well_framed(out, row) for row in found),
    }


def _well_framed(out: Path, row: dict[str, str]) -> bool:
    """Exact ratio, the whole face in it, the image as large as its row says."""
    image = np.asarray(cv2.imread(str(out / row["crop_path"])))
    across, down = ratio(row["ratio"])
    x1, y1, x2, y2 = (int(row[name]) for name in ("x1", "y1", "x2", "y2"))
    x, y, width, height = (float(row[f"face_{name}"]) for name in "xywh")
    inside = x1 <= x and y1 <= y and x + width <= x2 and y + height <= y2
    exact = image.shape[1] * down == image.shape[0] * across and image.shape[:2] == (y2 - y1, x2 - x1)
    return bool(inside and exact)


def visits(media: Path, work: Path) -> Report:
    """The first person's visit to a room that six people enter one after the other, from one blurred profile."""
    out = work / "visits"
    done = crops(media / ROOM, first_person(media, work), out)
    report = json.loads((out / "report.json").read_text())
    spans = next(iter(report["videos"][0]["spans"].values()))
    padding = report["settings"]["prescan_pad_sec"]
    low, high = FIRST_VISIT[0] - padding, FIRST_VISIT[1] + padding
    return {
        "exit": done.returncode,
        "spans": spans,
        "outside": sum(not low <= start <= end <= high for start, end in spans),
        "crops": len(rows_of(out)),
        "crops_elsewhere": sum(not FIRST_VISIT[0] <= float(row["time_secs"]) <= FIRST_VISIT[1] for row in rows_of(out)),
    }


def repeat(media: Path, work: Path, kills: int) -> Report:
    """Two runs are the same byte for byte; so is one that was killed again and again and went on."""
    video = repeated(media / CLIP, work / "singer.mp4", 30.0)
    reference = media / "lin-manuel-miranda.png"
    began = time.perf_counter()
    crops(video, reference, work / "once")
    length = time.perf_counter() - began
    crops(video, reference, work / "twice", "--jobs", "2")
    rng, killed, differing, folders = random.Random(1), 0, 0, 1
    while killed < kills:
        out = work / f"killed_{folders}"
        run = subprocess.Popen(command(video, reference, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(timeout=rng.uniform(0.1, 0.7) * length)
            differing += _differing(work / "once", out)
            folders += 1
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            killed += 1
    last = work / f"killed_{folders}"
    crops(video, reference, last)
    return {
        "crops": len(rows_of(work / "once")),
        "second_run_differs": _differing(work / "once", work / "twice"),
        "kills": killed,
        "killed_runs": folders,
        "killed_run_differs": differing + _differing(work / "once", last),
    }


def _differing(one: Path, other: Path) -> int:
    """Files that are not the same in both, ``index.csv`` and crops."""
    names = ["index.csv", "report.json", *(row["crop_path"] for row in rows_of(one))]
    others = {str(p.relative_to(other)) for p in other.rglob("*.jpg") if "crops" in p.parts}
    same = filecmp.cmpfiles(one, other, names, shallow=False)[0]
    return len(names) - len(same) + len(others - set(names) - {n for n in others if n.startswith("annot")})


PARTS: dict[str, Callable[[Path, Path, argparse.Namespace], Report]] = {
    "singer": lambda media, work, args: singer(media, work),
    "visits": lambda media, work, args: visits(media, work),
    "speed": lambda media, work, args: speed(media, work, args.rounds),
    "repeat": lambda media, work, args: repeat(media, work, args.kills),
    "memory": lambda media, work, args: memory(media, work, args.minutes),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench crops", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each timing (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=KILLS, help="how often a run is killed (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the long video (default: %(default)s)")
    parser.add_argument("--report", type=Path, help="write the figures to this JSON file")
    parser.add_argument("--check", action="store_true", help="exit status 1 and a line for each missed figure")
    args = parser.parse_args(argv)
    media = Path(os.environ.get("FACE_AF_TEST_MEDIA", ""))
    if not (media / CLIP).is_file():
        print("bench crops: FACE_AF_TEST_MEDIA names no folder with the videos (see --help)", file=sys.stderr)
        return 2
    report: dict[str, Report] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in args.only:
            report[name] = PARTS[name](media, Path(folder), args)
            print(f"{name}: {json.dumps(report[name])}", flush=True)
    if args.report:
        write_json(args.report, report)
    missed = list(_missed(report))
    for line in missed:
        print(line)
    return 1 if args.check and missed else 0


def _missed(report: dict[str, Report]) -> list[str]:
    def demand(part: str, holds: Callable[[Report], bool], text: str) -> None:
        if part in report and not holds(report[part]):
            lines.append(f"{part}: {text.format(**report[part])}")

    lines: list[str] = []
    demand("singer", lambda r: r["near"] > 0 and r["far"] > 0, "{near} crops of the near scene, {far} of the far one")
    demand("singer", lambda r: not r["elsewhere"], "{elsewhere} crops of scenes without him")
    demand("singer", lambda r: not r["badly_framed"], "{badly_framed} crops with another shape or a cut face")
    demand("visits", lambda r: bool(r["spans"]), "the first person was not found")
    demand("visits", lambda r: not r["outside"], "{outside} spans outside the visit and its padding: {spans}")
    demand("visits", lambda r: not r["crops_elsewhere"], "{crops_elsewhere} crops of other visits")
    demand(
        "speed", lambda r: r["prescan_extra"] <= MOST_EXTRA, "the pre-scan takes {prescan_extra:.0%} more than decoding"
    )
    demand(
        "speed",
        lambda r: r["main_pass_realtime"] >= LEAST_REALTIME,
        "the main pass has {main_pass_realtime} x realtime",
    )
    demand("repeat", lambda r: not r["second_run_differs"], "{second_run_differs} files of a second run differ")
    demand("repeat", lambda r: not r["killed_run_differs"], "{killed_run_differs} files differ after {kills} kills")
    demand(
        "memory",
        lambda r: r["peak_mb"] - r["peak_mb_of_5_minutes"] <= MOST_GROWTH_MB,
        "{peak_mb} MB, {peak_mb_of_5_minutes} MB after five minutes",
    )
    return lines


if __name__ == "__main__":
    sys.exit(main())
