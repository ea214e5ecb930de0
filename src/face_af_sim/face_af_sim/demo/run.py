"""One run of the demo: the graph as a child process, the monitor in this one, the report in a folder."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from face_af_common.files import FileError, write_json
from face_af_common.ros_context import open_context, shut_down_context
from face_af_common.ros_domain import claim_domain, free_port

from .cast import Cast
from .graph import INTERRUPTED_S, Graph
from .measure import Measure
from .monitor import Monitor, Now
from .timeline import draw_timeline, warm_up
from .video import VideoWriter

_FIRST_FRAME_S = 60.0
"""Patience for the first frame: models load, and a slow machine takes its time."""

_SILENCE_S = 20.0
"""No frame for so long: something is stuck."""


class DemoError(Exception):
    """The demo cannot go on; one line that says why."""


@dataclass(frozen=True)
class Options:
    """How to run. ``arguments`` go to the launch file as they are."""

    cast: Cast
    out: Path
    duration: float = 30.0
    lockstep: bool = False
    video: bool = True
    seed: int = 1
    namespace: str = "face_af"
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """The report, and a line for everything that could not be written."""

    report: dict[str, float | int | str]
    not_written: list[str]


def run(options: Options, watch: Callable[[Measure, Now], None] = lambda measure, now: None) -> Result:
    """Runs the demo and writes ``report.json``, ``timeline.png`` and ``demo.mp4`` into ``options.out``.

    ``watch`` is called some ten times a second with what is known. Ctrl-C ends the run early, and
    the report is about what there was, if there was a frame. Raises :class:`DemoError`.
    """
    # what this process and its children talk in is nobody else's
    os.environ["ROS_DOMAIN_ID"] = str(claim_domain())
    arguments = _launch_arguments(options)
    video = VideoWriter(options.out / "demo.mp4", lossless=options.lockstep) if options.video else None
    open_context([])
    monitor = Monitor(options.namespace, video, options.lockstep)
    executor = SingleThreadedExecutor()
    executor.add_node(monitor)
    ending = threading.Event()
    spinner = threading.Thread(target=_spin, args=(executor, ending), daemon=True)
    spinner.start()
    interrupted, not_written = False, list[str]()
    try:
        with Graph("demo.launch.py", arguments, options.out / "launch.log") as graph:
            try:
                _watch(graph, monitor, watch)
            except KeyboardInterrupt:
                if monitor.first_frame_at is None:
                    raise
                interrupted = True
                until = time.monotonic() + INTERRUPTED_S
                graph.ask_to_end()
                ending.set()
                spinner.join(timeout=INTERRUPTED_S)
                drawing = _Drawing(monitor, options.out)
                if video is not None:
                    video.close()
                not_written += drawing.problems(until)  # while the graph ends
                graph.stop(INTERRUPTED_S)
            ended = time.monotonic()
            problem = graph.problem()
    finally:
        ending.set()
        spinner.join(timeout=5.0)
        executor.shutdown()
        shut_down_context()
        monitor.destroy_node()
        if video is not None:
            video.close()
    if monitor.first_frame_at is None:
        raise DemoError(f"no frame came through the graph: {problem} (details: {options.out / 'launch.log'})")
    report = monitor.measure.report(wall_s=monitor.last_frame_at - monitor.first_frame_at)
    report |= {"clock": str(arguments["clock"]), "models": monitor.models, "interrupted": interrupted}
    report["setup_s"] = round(monitor.first_frame_at - graph.started, 2)
    report["stopped_s"] = round(time.monotonic() - ended, 2)
    return _written(options.out, report, monitor, graph, video, not_written)


def _written(
    out: Path,
    report: dict[str, float | int | str],
    monitor: Monitor,
    graph: Graph,
    video: VideoWriter | None,
    not_written: list[str],
) -> Result:
    """Writes the time line, unless the run was interrupted and it is there, and the report."""
    if not report["interrupted"]:
        not_written += _draw(monitor, out)
    not_written += [f"the recording: {line}" for line in graph.faults_of("recorder")[:1]]
    if video is not None and video.error is not None:
        not_written.append(f"{out / 'demo.mp4'}: cannot be written ({video.error})")
    report["not_written"] = "; ".join(not_written)
    try:
        write_json(out / "report.json", report)
    except FileError as error:
        not_written.append(str(error))
    return Result(report, not_written)


def _launch_arguments(options: Options) -> dict[str, object]:
    return {
        "target": options.cast.target,
        "gallery": options.cast.gallery,
        "people": options.cast.stage,
        "clock": "lockstep" if options.lockstep else "realtime",
        "observed": str(options.lockstep).lower(),
        "duration": float(options.duration),
        "seed": options.seed,
        "camera_port": free_port(),
        "namespace": options.namespace,
        **options.arguments,
    }


def _draw(monitor: Monitor, out: Path) -> list[str]:
    """Writes the time line; returns why not."""
    measure = monitor.measure
    target = measure.frames[0].truth.target if measure.frames else ""
    title = f"Focus on {target}: {measure.on_target:.0%} of the time that the camera could see them"
    try:
        draw_timeline(measure, out / "timeline.png", title)
    except FileError as error:
        return [str(error)]
    return []


class _Drawing:
    """The time line, drawn in a thread; where it takes too long for who has pressed Ctrl-C, it is left out."""

    def __init__(self, monitor: Monitor, out: Path) -> None:
        self._out = out
        self._problems: list[str] = []
        self._thread = threading.Thread(target=lambda: self._problems.extend(_draw(monitor, out)), daemon=True)
        self._thread.start()

    def problems(self, until: float) -> list[str]:
        """Why it is not there, waiting for it ``until`` (monotonic seconds)."""
        self._thread.join(max(until - time.monotonic(), 0.0))
        late = self._thread.is_alive()
        return [f"{self._out / 'timeline.png'}: there was no time to draw it"] if late else self._problems


def _watch(graph: Graph, monitor: Monitor, watch: Callable[[Measure, Now], None]) -> None:
    """Until the graph ends by itself, or is stuck."""
    frames, progress = 0, time.monotonic()
    while graph.running:
        time.sleep(0.1)
        watch(monitor.measure, monitor.now)
        now = time.monotonic()
        if not frames and monitor.measure.frames:
            threading.Thread(target=warm_up, daemon=True).start()
        if len(monitor.measure.frames) > frames:
            frames, progress = len(monitor.measure.frames), now
        if now - progress > (_SILENCE_S if frames else _FIRST_FRAME_S):
            if frames:
                raise DemoError(f"no frame for {_SILENCE_S:.0f} s: {graph.problem()}")
            return


def _spin(executor: SingleThreadedExecutor, ending: threading.Event) -> None:
    """An executor that another thread shuts down while it waits may raise what it likes: so it is asked first."""
    with contextlib.suppress(ExternalShutdownException):
        while not ending.is_set():
            executor.spin_once(timeout_sec=0.1)
