"""The tools on damaged files: each tool's own ``main``, in processes that are thrown away."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .findings import Findings
from .mutations import mutated

PATIENCE_S = 2.0
"""How much longer than with good files a tool may take with damaged ones."""
_LOST_S = 60.0
_RUNS = 100
"""Calls of one process."""
_STATUSES = (0, 1, 2, 3)
"""3: crops says that the person was not found."""


@dataclass(frozen=True)
class Case:
    """``good``: a file to damage; ``call``: the arguments for damaged copies of it; ``at_once``: of how many."""

    name: str
    module: str
    good: Path
    call: Callable[[list[Path]], list[str]]
    place: Callable[[Path], Path] | None = None
    """Where the damaged copy stands among other files, in a folder that is made anew for each call."""
    at_once: int = 1
    good_status: int = 0
    """What the tool returns for the file as it is."""


class UnusableError(Exception):
    """The case itself is wrong."""


@dataclass(frozen=True)
class Outcome:
    """``seconds``: without those spent waiting for a processor; ``wrong``: what no tool may do, or empty."""

    status: int | None
    seconds: float
    wrong: str


def attack(
    cases: Sequence[Case], folder: Path, rounds: int, rng: random.Random, keep: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Counts and findings for each case; ``keep`` gets the report whenever it grows."""
    report: dict[str, Any] = {}
    for case in cases:
        findings, outcomes, slowest, tries = Findings(), Counter[str](), 0.0, 0
        began = time.monotonic()
        name = f"{case.module.rpartition('.')[2]}: {case.name}"
        try:
            usual = _usual(case, folder)
        except UnusableError as error:
            report[name] = {"tries": 0, "findings": [str(error)]}
            print(f"{case.module}: {case.name}: {error}", flush=True)
            continue
        while tries < rounds and not findings.full:
            calls: list[list[Path]] = []
            while len(calls) < _RUNS and tries < rounds:
                many = min(case.at_once, rounds - tries)
                calls.append(_damaged(case, folder / f"{len(calls)}", many, rng))
                tries += many
            for files, outcome in zip(calls, _called(case, calls), strict=True):
                if not outcome.wrong and outcome.seconds > usual + PATIENCE_S:
                    outcome = _again(case, files, folder / "again")  # alone: the machine may have been busy
                outcomes["crashed" if outcome.status is None else f"status {outcome.status}"] += 1
                slowest = max(slowest, outcome.seconds)
                late = outcome.seconds > usual + PATIENCE_S
                if outcome.wrong or late:
                    findings.add(outcome.wrong or f"took {outcome.seconds:.1f} s, usually {usual:.1f} s", _kept(files))
        report[name] = {
            "tries": tries,
            **outcomes,
            "usual_s": round(usual, 2),
            "slowest_s": round(slowest, 2),
            "seconds": round(time.monotonic() - began, 1),
            **findings.report(),
        }
        keep(report)
        print(f"{case.module}: {case.name}: {dict(outcomes)}", *findings.texts, sep="\n    ", flush=True)
    return report


def _again(case: Case, files: Sequence[Path], folder: Path) -> Outcome:
    """The outcome of the same call with the same files, which the first one may have changed the folder of."""
    data = [path.read_bytes() for path in files]
    shutil.rmtree(folder, ignore_errors=True)
    placed = [_placed(case, folder, content, number) for number, content in enumerate(data)]
    return _called(case, [placed])[0]


def _usual(case: Case, folder: Path) -> float:
    """Seconds with good files, the longest of three times."""
    for n in range(3):
        shutil.rmtree(folder / f"good{n}", ignore_errors=True)
    calls = [[_placed(case, folder / f"good{n}", case.good.read_bytes(), number) for number in range(case.at_once)]
             for n in range(3)]  # fmt: skip
    outcomes = _called(case, calls)
    wrong = [outcome for outcome in outcomes if outcome.wrong or outcome.status != case.good_status]
    if wrong:
        raise UnusableError(f"does not take the good file: {wrong[0]}")
    return max(outcome.seconds for outcome in outcomes)


def _damaged(case: Case, folder: Path, many: int, rng: random.Random) -> list[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    data = case.good.read_bytes()
    return [_placed(case, folder, mutated(data, rng), number) for number in range(many)]


def _placed(case: Case, folder: Path, data: bytes, number: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number}{case.good.suffix}" if case.place is None else case.place(folder)
    path.write_bytes(data)
    return path


def _kept(files: Sequence[Path]) -> list[Any]:
    return [path.read_bytes()[:4000] for path in files if path.exists()][:2]


def _called(case: Case, calls: Sequence[list[Path]]) -> list[Outcome]:
    """Every call's outcome, in order. A process that ends or hangs is replaced by another for the rest."""
    outcomes: list[Outcome] = []
    while len(outcomes) < len(calls):
        receiver, sender = _SERVER.Pipe(duplex=False)
        rest = [case.call(files) for files in calls[len(outcomes) :]]
        process = _SERVER.Process(target=_work, args=(case.module, rest, sender), daemon=True)
        process.start()
        sender.close()
        began = time.monotonic()
        try:
            while len(outcomes) < len(calls) and receiver.poll(_LOST_S):
                outcomes.append(receiver.recv())
                began = time.monotonic()
            if len(outcomes) < len(calls):
                outcomes.append(Outcome(None, time.monotonic() - began, f"hangs for more than {_LOST_S:g} s"))
        except EOFError:
            process.join(10.0)
            outcomes.append(Outcome(None, time.monotonic() - began, f"the process ended with {process.exitcode}"))
        finally:
            process.join(0.0 if len(outcomes) < len(calls) else 5.0)
            process.kill()
            process.join()
    return outcomes


def _work(module: str, calls: Sequence[list[str]], answers: Connection) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):  # libraries in C say a lot about damaged files
        os.dup2(null, number)
    _keep_models()
    main: Callable[[list[str]], int] = import_module(module).main
    for arguments in calls:
        answers.send(_try(main, arguments))


def _keep_models() -> None:
    """Networks are loaded once a process: what is attacked are the other files."""
    from face_af_perception.analyser import FaceAnalyser

    load, loaded = FaceAnalyser.open, dict[str, FaceAnalyser]()

    def open_once(*args: Any, **options: Any) -> FaceAnalyser:
        asked = repr((args, sorted(options.items())))
        if asked not in loaded:
            loaded[asked] = load(*args, **options)
        return loaded[asked]

    FaceAnalyser.open = open_once  # type: ignore[method-assign]


def _try(main: Callable[[list[str]], int], arguments: list[str]) -> Outcome:
    from face_af_common.liveness import Starvation
    from face_af_common.tools import explained

    starvation = Starvation(os.getpid())
    starvation.since_last()
    said, began, wrong = io.StringIO(), time.monotonic(), ""
    status: Any = None
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            status = main(arguments)
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        status = 1
        if explained(error) is None:
            wrong = "Traceback: " + " … ".join(traceback.format_exception(error)[-2:])[-600:]
    if "Traceback" in said.getvalue():
        wrong = f"Traceback: {said.getvalue()[-600:]}"
    if not wrong and status not in _STATUSES:
        wrong = f"exit status {status}"
    if not wrong and status != 0 and not said.getvalue().strip():
        wrong = f"exit status {status} without a word"
    took = time.monotonic() - began - starvation.since_last()
    return Outcome(status if isinstance(status, int) else 1, took, wrong)


_SERVER = multiprocessing.get_context("forkserver")
