"""``./run bench outages``: what unplugging the camera or its picture costs in a running graph.

The simulated stage pulls its own cables for some seconds and plugs them in again. Measured: from the answer "plugged
in" to the next press that reaches the camera, and to the next frame that steering has answered.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from live_graph import live_graph
from rclpy.node import Node
from std_srvs.srv import SetBool

from face_af_common import qos
from face_af_common.stamps import to_ns
from face_af_msgs.msg import CameraStatus, SimTruth, SteeringState
from face_af_msgs.srv import Press
from face_af_sim.demo.cast import CastError

_PATIENCE_S = 15.0
_BETWEEN_S = 4.0
"""Undisturbed seconds before each outage."""


class Watcher(Node):
    """Hears the graph, presses the button that changes nothing (Fn2), pulls the cables."""

    def __init__(self, namespace: str) -> None:
        super().__init__("outages", namespace=namespace)
        self.status = CameraStatus()
        self.answered_ns = 0
        self.focus: list[tuple[float, bool]] = []
        self.create_subscription(CameraStatus, "camera_status", self._on_status, qos.STATUS)
        self.create_subscription(SteeringState, "state", self._on_state, qos.RESULT)
        self.create_subscription(SimTruth, "sim/truth", self._on_truth, qos.RESULT)
        self.press = self.create_client(Press, "press")
        self.cables = {name: self.create_client(SetBool, f"sim/{name}") for name in ("unplug", "unplug_capture")}

    def _on_status(self, message: CameraStatus) -> None:
        self.status = message

    def _on_state(self, message: SteeringState) -> None:
        self.answered_ns = to_ns(message.header.stamp)

    def _on_truth(self, message: SimTruth) -> None:
        if message.target_visible:
            self.focus.append((time.monotonic(), message.target_focused))

    def pull(self, cable: str, out: bool) -> None:
        """Returns when the stage has said that it is done."""
        answer = self.cables[cable].call_async(SetBool.Request(data=out))
        _until(answer.done)
        if not answer.result().success:
            raise RuntimeError(answer.result().message)

    def pressed(self) -> bool:
        answer = self.press.call_async(Press.Request(button="fn2"))
        _until(answer.done)
        return bool(answer.result().success)

    def on_target(self, start: float, end: float) -> float | None:
        """Share of the time with the target visible in which it had the focus."""
        row = [focused for at, focused in self.focus if start <= at < end]
        return round(sum(row) / len(row), 2) if row else None


def _until(done: Callable[[], bool], seconds: float = _PATIENCE_S, poll: float = 0.002) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(poll)
    return True


def outage(watcher: Watcher, cable: str, seconds: float) -> dict[str, float | str | bool | None]:
    """One outage; times are in seconds from the moment the cable is in again."""
    reconnects = watcher.status.reconnects
    began = time.monotonic()
    watcher.pull(cable, True)
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    refused = cable == "unplug" and not watcher.pressed()
    watcher.pull(cable, False)
    back, back_ns = time.monotonic(), time.time_ns()
    works = _until(watcher.pressed)
    press_s = time.monotonic() - back
    answers = _until(lambda: watcher.answered_ns > back_ns)
    frame_s = time.monotonic() - back
    time.sleep(_BETWEEN_S)
    return {
        "cable": cable,
        "out_s": seconds,
        "next_press_s": round(press_s, 3) if works else None,
        "next_answer_s": round(frame_s, 3) if answers else None,
        "refused_while_out": refused,
        "reconnects": watcher.status.reconnects - reconnects,
        "on_target_before": watcher.on_target(began - _BETWEEN_S, began),
        "on_target_out": watcher.on_target(began, back),
        "on_target_after": watcher.on_target(back, back + _BETWEEN_S),
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench outages", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.3, 3.0, 10.0], help="outages (0.3 3 10)")
    parser.add_argument("--repeat", type=int, default=1, help="how often each (1)")
    parser.add_argument("--limit", type=float, default=1.0, help="seconds to the next press that are allowed (1)")
    parser.add_argument("--out", type=Path, default=Path("out/bench/outages"), help="folder for gallery and log")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    options = parser.parse_args(argv)
    rows = []
    try:
        with live_graph(lambda: Watcher("face_af"), options.out) as (graph, watcher):
            if not _until(lambda: watcher.answered_ns > 0 and watcher.status.connected, 120.0, 0.1):
                print(f"bench outages: the graph does not start: {graph.problem()}", file=sys.stderr)
                return 1
            time.sleep(_BETWEEN_S)
            for cable in watcher.cables:
                for seconds in options.seconds * options.repeat:
                    rows.append(outage(watcher, cable, seconds))
                    print(", ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    except CastError as error:
        print(f"bench outages: {error}", file=sys.stderr)
        return 1
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    late = [r for r in rows if any(r[k] is None or r[k] > options.limit for k in ("next_press_s", "next_answer_s"))]
    print("every outage costs only the time it lasts" if not late else f"{len(late)} outages cost more than their time")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
