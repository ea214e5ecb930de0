"""Runs combinations of parameters over a recording, several at once, and remembers what is done."""

from __future__ import annotations

import copy
import hashlib
import json
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from face_af_common import json_lines
from face_af_common.files import writing
from face_af_common.tools import die_with_parent, unheard_by_children
from face_af_common.types import Box
from face_af_perception.params import MODEL_PARAMETERS

from ..replay.frames import Frame
from ..replay.perception_stage import Perception
from ..replay.recorded import recorded_frames
from ..replay.score import label, score
from ..replay.settings import Parameters
from ..replay.source import Source, open_source
from ..replay.speaker_stage import Speaker
from ..replay.stages import compute

Combination = Mapping[str, Mapping[str, Any]]
_NEEDS_NEW_MODELS = (*MODEL_PARAMETERS, "gallery")


@dataclass
class Job:
    """What all trials of a tuning have in common."""

    path: Path
    topic: str
    stages: tuple[str, ...]
    base: dict[str, dict[str, Any]]
    frames: dict[int, Frame]
    """What is not computed anew in a trial, by stamp."""
    truth: dict[int, dict[str, Box]] | None

    def key(self, combination: Combination) -> str:
        """Names a trial; equal keys have equal results."""
        parts = [self.path.name, self.topic, self.stages, self.base, combination, _size(self.path)]
        labels = {frame: {n: repr(b) for n, b in boxes.items()} for frame, boxes in (self.truth or {}).items()}
        text = json.dumps([*parts, labels], sort_keys=True, default=list)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


class Runner:
    """Runs trials in one process; models are opened once where the trials allow it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._source: Source = open_source(job.path, job.topic)
        self._perception: Perception | None = None
        self._speaker: Speaker | None = None
        self._models: dict[str, Any] = {}

    def __call__(self, combination: Combination) -> dict[str, Any]:
        """The figures of one trial."""
        job = self._job
        parameters = {node: {**job.base.get(node, {}), **combination.get(node, {})} for node in job.stages}
        perception = self._open_perception(parameters) if "perception" in job.stages else None
        if "speaker" in job.stages:
            self._speaker = Speaker(self._source, parameters["speaker"], self._speaker)
        frames = list(
            compute(self._source, job.stages, parameters, perception, copy.deepcopy(job.frames), speaker=self._speaker)
        )
        if job.truth is not None:
            label(frames, job.truth, target_of(parameters, frames))
        return score(frames)

    def _open_perception(self, parameters: Parameters) -> Perception:
        values = parameters.get("perception", {})
        models = {name: values.get(name) for name in _NEEDS_NEW_MODELS}
        previous = self._perception if models == self._models else None
        self._perception, self._models = Perception(values, previous), models
        return self._perception


def target_of(parameters: Parameters, frames: Sequence[Frame]) -> str:
    named = parameters.get("perception", {}).get("target", "")
    return named or next((frame.target for frame in frames if frame.target), "")


def base_frames(source: Source, stages: Sequence[str], parameters: Parameters) -> dict[int, Frame]:
    """What the trials need and do not compute: as recorded, or computed once where the recording lacks it."""
    recorded = recorded_frames(source)
    missing = [
        stage
        for stage, has in (
            ("perception", any(frame.faces is not None for frame in recorded.values())),
            ("overlay", any(frame.boxes is not None for frame in recorded.values())),
        )
        if not has and stage not in stages
    ]
    if not missing:
        return recorded
    return {frame.stamp_ns: frame for frame in compute(source, missing, parameters, recorded=recorded)}


def run(
    job: Job, combinations: Sequence[Combination], store: Path, jobs: int
) -> Iterator[tuple[Combination, dict[str, Any]]]:
    """``(combination, figures)`` of every trial, those in ``store`` (JSON lines) first; new ones are added to it."""
    done = _read(store)
    waiting = []
    for combination in combinations:
        if (known := done.get(job.key(combination))) is not None:
            yield combination, known
        else:
            waiting.append(combination)
    store.parent.mkdir(parents=True, exist_ok=True)
    with writing(store), store.open("a", encoding="utf-8") as file:
        for combination, figures in _run(job, waiting, jobs):
            row = {"key": job.key(combination), "parameters": combination, "figures": figures}
            file.write(json_lines.line(row))
            file.flush()
            yield combination, figures


def _run(job: Job, combinations: Sequence[Combination], jobs: int) -> Iterator[tuple[Combination, dict[str, Any]]]:
    if jobs <= 1 or len(combinations) <= 1:
        runner = Runner(job)
        for combination in combinations:
            yield combination, runner(combination)
        return
    # not fork: the networks' threads do not survive it
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(combinations)), context, _start_worker, (job,)) as pool:
        with unheard_by_children():
            futures = {pool.submit(_work, combination): combination for combination in combinations}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            for process in (pool._processes or {}).values():  # a trial takes minutes
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_runner: Runner | None = None


def _start_worker(job: Job) -> None:
    global _runner
    die_with_parent()
    _runner = Runner(job)


def _work(combination: Combination) -> dict[str, Any]:
    assert _runner is not None
    return _runner(combination)


def _read(store: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if store.is_file():
        for text in store.read_text(encoding="utf-8", errors="replace").splitlines():
            if (row := json_lines.parsed(text)) is not None:
                found[row["key"]] = row["figures"]
    return found


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.suffix in (".mcap", ".db3")]
    return sum(file.stat().st_size for file in files)
