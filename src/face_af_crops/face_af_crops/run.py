"""A whole run: pre-scan, bank, spans, main pass, selection, files. :func:`make_crops` is the Python interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from face_af_common.params import values

from .bank import Bank, grow
from .candidates import Candidate, PieceResult
from .duplicates import Duplicates
from .engine import Models, engine
from .errors import CropError
from .output import OutputFolder, RowFile
from .prescan import Scan, faces_for_bank, sightings
from .references import load_references
from .report import VideoReport, write_report
from .settings import CropSettings
from .spans import find_spans
from .timeline import draw_timeline
from .video import VideoError, VideoFile, open_video
from .workers import Cluster, Processes, Task, ThisProcess, Workers

P = TypeVar("P")

SCAN_SECONDS = 120.0
"""Length of a part of the pre-scan: what a killed run does again at most."""
PIECE_SECONDS = 10.0
"""Length of a part of the main pass."""

Progress = Callable[[str, float, float], None]
"""(what, seconds of video done, of how many)"""


@dataclass(frozen=True)
class Request:
    """What to do. ``refs`` and ``nots`` as :func:`.references.load_references` takes them; times in seconds."""

    videos: tuple[Path, ...]
    refs: tuple[str, ...]
    out: Path
    settings: CropSettings = field(default_factory=CropSettings)
    nots: tuple[str, ...] = ()
    models: Models = field(default_factory=Models)
    gallery: Path = Path()
    start: float = 0.0
    end: float | None = None
    jobs: int = 1
    dask: str = ""
    dry_run: bool = False
    restart: bool = False


def make_crops(
    request: Request, progress: Progress = lambda *_: None, warn: Callable[[str], None] = lambda _: None
) -> list[VideoReport]:
    """Does ``request``; the same request again goes on where it was stopped. Raises :class:`CropError`.

    Also ``ModelError`` where no model is there.
    """
    return _Run(request, progress, warn).run()


class _Run:
    def __init__(self, request: Request, progress: Progress, warn: Callable[[str], None]) -> None:
        self.request = request
        self.settings = request.settings
        self._progress = progress
        self._warn = warn
        self.videos = [_opened(path, warn) for path in request.videos]
        networks = engine(request.models)
        references = load_references(request.refs, request.nots, networks, request.gallery, warn)
        self.bank: Bank = references.bank
        if networks.persons is None:
            warn("no person detector (yolox_nano.onnx, see models.yaml) is there: bodies are estimated from faces")
        self.flat = values(self.settings)
        key = {
            "settings": self.flat,
            "references": references.digest,
            "models": networks.identity,
            "videos": [[v.path.name, v.path.stat().st_size, v.count] for v in self.videos],
            "range": [request.start, request.end],
        }
        self.output = None if request.dry_run else OutputFolder(request.out, key, request.restart)
        if self.output is not None and self.output.complete:
            raise CropError(f"{request.out}: this run is complete already; --restart begins anew")

    def run(self) -> list[VideoReport]:
        workers = self._workers()
        try:
            scans = self._scans(workers)
            for video, scan in zip(self.videos, scans, strict=True):
                if self.settings.bank_grow:
                    grow(self.bank, faces_for_bank(scan, video.path.name), self.settings)
            reports = [self._spans(video, scan) for video, scan in zip(self.videos, scans, strict=True)]
            if self.output is None:
                return reports
            self._main_pass(workers, reports, self.output)
            self.output.save("timeline.png", draw_timeline(reports, self.settings))
            write_report(self.bank, self.settings, reports, self.output)
            self.output.drop_parts()
            return reports
        finally:
            workers.close()

    def _workers(self) -> Workers:
        if self.request.dask:
            return Cluster(self.request.dask)
        return Processes(self.request.jobs) if self.request.jobs > 1 else ThisProcess()

    def _range(self, video: VideoFile) -> tuple[int, int]:
        start = video.index_at(self.request.start)
        end = video.count if self.request.end is None else video.index_at(self.request.end)
        if start >= end:
            raise CropError(f"{video.path}: nothing between --start and --end; it lasts {video.duration:.1f} s")
        return start, end

    def _scans(self, workers: Workers) -> list[Scan]:
        tasks = [
            (n, Task(str(video.path.resolve()), a, b, self.flat, self.request.models))
            for n, video in enumerate(self.videos)
            for a, b in video.pieces(*self._range(video), SCAN_SECONDS)
        ]
        parts: list[list[Scan]] = [[] for _ in self.videos]
        for (n, _), part in zip(tasks, self._done("scan", Scan.from_bytes, tasks, workers), strict=True):
            parts[n].append(part)
        return [Scan.joined(p) for p in parts]

    def _spans(self, video: VideoFile, scan: Scan) -> VideoReport:
        seen = {person: sightings(scan, self.bank, person, self.settings) for person in self.bank.people}
        spans = {person: find_spans(s, video.duration, self.settings) for person, s in seen.items()}
        return VideoReport(video.path.name, video.duration, spans, seen, {p: [] for p in seen}, note=video.note)

    def _main_pass(self, workers: Workers, reports: Sequence[VideoReport], output: OutputFolder) -> None:
        bank = (self.bank.scale, {p: self.bank.rows(p) for p in self.bank.people}, self.bank.doubles)
        tasks = []
        for n, (video, report) in enumerate(zip(self.videos, reports, strict=True)):
            low, high = self._range(video)
            for a, b in _frames_of(video, report):
                a, b = max(a, low), min(b, high)
                if a < b:
                    tasks += [
                        (n, Task(str(video.path.resolve()), c, d, self.flat, self.request.models, bank))
                        for c, d in video.pieces(a, b, PIECE_SECONDS)
                    ]
        keeper = Duplicates(self.settings)
        rows = RowFile(output.folder / "index.csv")
        try:
            done = self._done("crops", PieceResult.from_bytes, tasks, workers)
            for (n, _), result in zip(tasks, done, strict=True):
                self._file(result, n, reports[n], keeper, rows, output)
        finally:
            rows.close()

    def _file(
        self,
        result: PieceResult,
        n: int,
        report: VideoReport,
        keeper: Duplicates,
        rows: RowFile,
        output: OutputFolder,
    ) -> None:
        """Writes what is kept of a part: crops first, then their rows."""
        debug = list(result.debug)
        stem = self._stem(n)
        for candidate in result.candidates:
            why = keeper.refusal(report.video, candidate)
            if why:
                report.dropped += 1
                if self.settings.debug:
                    line = {"frame": candidate.frame, "person": candidate.person, "dropped": why}
                    debug.append(json.dumps({"video": report.video, **line}))
                continue
            name = f"{stem}_{candidate.frame:07d}.{self.settings.format}"
            folder = f"{candidate.person}/" if len(self.bank.people) > 1 else ""
            output.save(f"crops/{folder}{name}", candidate.data)
            if candidate.preview:
                output.save(f"annot/{folder}{Path(name).with_suffix('.jpg')}", candidate.preview)
            rows.add(_row(candidate, report.video, f"crops/{folder}{name}"))
            report.crops[candidate.person].append(candidate.time)
        if debug:
            first = result.candidates[0].frame if result.candidates else json.loads(debug[0])["frame"]
            output.save(f"debug/{stem}_{first:07d}.jsonl", ("\n".join(debug) + "\n").encode())

    def _stem(self, n: int) -> str:
        """The video's name; with a number where two videos have the same."""
        stem = self.videos[n].path.stem
        same = [i for i, v in enumerate(self.videos) if v.path.stem == stem]
        return stem if len(same) == 1 else f"{stem}-{same.index(n) + 1}"

    def _done(
        self, kind: str, decode: Callable[[bytes], P], tasks: Sequence[tuple[int, Task]], workers: Workers
    ) -> Iterator[P]:
        """The results in order; finished ones from the folder, the others done and put there as soon as they are."""
        names = [f"{kind}-{n:03d}-{task.start:08d}-{task.end:08d}" for n, task in tasks]
        lengths = [self._seconds(n, task) for n, task in tasks]
        kept = [finished_part(self.output, name, decode) for name in names]
        ready = {i: part for i, part in enumerate(kept) if part is not None}
        del kept
        open_tasks = [i for i in range(len(tasks)) if i not in ready]
        done, whole = sum(lengths[i] for i in ready), sum(lengths)
        given = 0
        self._progress(kind, done, whole)
        results = workers.map([tasks[i][1] for i in open_tasks]) if open_tasks else iter(())
        while given < len(tasks):
            if given in ready:
                yield ready.pop(given)
                given += 1
                continue
            place, data = next(results)
            i = open_tasks[place]
            if self.output is not None:
                self.output.keep_part(names[i], data)
            ready[i] = decode(data)
            done += lengths[i]
            self._progress(kind, done, whole)

    def _seconds(self, n: int, task: Task) -> float:
        return self.videos[n].time(task.end - 1) - self.videos[n].time(task.start)


def finished_part(output: OutputFolder | None, name: str, decode: Callable[[bytes], P]) -> P | None:
    """A finished part of an earlier run; a damaged one is done again."""
    data = output.part(name) if output is not None else None
    if not data:
        return None
    try:
        return decode(data)
    except Exception:  # NumPy raises zipfile's, zlib's and its own types
        return None


def _opened(path: Path, warn: Callable[[str], None]) -> VideoFile:
    try:
        video = open_video(path)
    except VideoError as error:
        raise CropError(str(error)) from error
    if video.note:
        warn(f"{path}: {video.note}")
    return video


def _frames_of(video: VideoFile, report: VideoReport) -> list[tuple[int, int]]:
    """The spans of all people as stretches of frames, joined where they overlap."""
    merged: list[tuple[int, int]] = []
    for span in sorted((s for spans in report.spans.values() for s in spans), key=lambda s: (s.start, s.end)):
        start, end = video.index_at(span.start), min(video.count, video.index_at(span.end) + 1)
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _row(c: Candidate, video: str, path: str) -> dict[str, Any]:
    x, y, width, height = c.box
    return {
        "frame": c.frame,
        "time_secs": f"{c.time:.3f}",
        "score": f"{c.score:.4f}",
        "face_dist": "" if c.distance < 0 else f"{c.distance:.4f}",
        "second_dist": "" if c.second < 0 else f"{c.second:.4f}",
        "x1": x,
        "y1": y,
        "x2": x + width,
        "y2": y + height,
        "ratio": c.ratio,
        **{f"face_{k}": f"{v:.1f}" for k, v in zip("xywh", c.face, strict=True)},
        "quality": f"{c.quality:.3f}",
        "sharpness": f"{c.sharpness:.3f}",
        "pose": c.pose,
        "brightness": f"{c.brightness:.3f}",
        "scene": c.scene,
        "hash": f"{c.hash:016x}",
        "body": "estimated" if c.estimated else "seen",
        "person": c.person,
        "video": video,
        "crop_path": path,
    }
