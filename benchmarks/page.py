"""``./run bench page``: what the page costs the graph, and how quick it is, with Chromium and with plain clients.

The simulated stage at 30 frames a second (``--rate``), one process and the driver. Measured: frames that steering
answers without a viewer, with one and with four (clients that only receive); the node's share of a core with nobody
looking; in Chromium at 960 x 540: frames a second, a frame's stamp until it is drawn, a tap until ``set_target`` has
answered, the first frame, and the size of the page.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import struct
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from live_graph import live_graph, wait_until
from process_use import cpu_seconds, node_processes
from rclpy.node import Node

from face_af_common import qos
from face_af_common.files import write_json
from face_af_common.ros_domain import free_port
from face_af_common.stamps import to_ns
from face_af_msgs.msg import SteeringState
from face_af_sim.demo.cast import CastError
from face_af_view.page.server import WEB

WARM_UP_S = 8.0
TAPS = 20
LIMITS = (
    ("browser_fps", ">=", 20.0),
    ("glass_p95_ms", "<=", 150.0),
    ("lost_one_percent", "<", 3.0),
    ("lost_four_percent", "<", 8.0),
    ("tap_p95_ms", "<=", 100.0),
    ("page_kb", "<", 200.0),
    ("first_frame_s", "<=", 1.5),
    ("idle_cpu_percent", "<", 1.0),
)
_HEAD = struct.Struct("<IHHdQ")


class Watcher(Node):
    """Counts the frames that steering answers."""

    def __init__(self) -> None:
        super().__init__("bench_page", namespace="face_af")
        self.stamps: list[int] = []
        self.create_subscription(SteeringState, "state", self._on_state, qos.RESULT)

    def _on_state(self, message: SteeringState) -> None:
        self.stamps.append(to_ns(message.header.stamp))

    def rate(self, seconds: float) -> float:
        """Frames a second over the next ``seconds``."""
        self.stamps = []
        time.sleep(seconds)
        return len(set(self.stamps)) / seconds


async def receive(address: str, seconds: float) -> dict[str, float]:
    """A client that only receives, and says that it has drawn. Frames a second, and their age on arrival."""
    from aiohttp import ClientSession, WSMsgType

    ages, begun = [], time.monotonic()
    async with ClientSession() as session, session.ws_connect(f"{address}ws", max_msg_size=0) as socket:
        await socket.send_str('{"t":"view","width":960,"looking":true}')
        while (left := begun + seconds - time.monotonic()) > 0:
            try:
                message = await socket.receive(timeout=left)
            except asyncio.TimeoutError:
                break
            if message.type is WSMsgType.BINARY:
                number, _, _, age, _ = _HEAD.unpack(message.data[: _HEAD.size])
                ages.append(age)
                await socket.send_str(f'{{"t":"drawn","n":{number}}}')
            elif message.type is not WSMsgType.TEXT:
                break
    return {"fps": len(ages) / seconds, "age_p95_ms": float(np.percentile(ages, 95)) * 1e3 if ages else -1.0}


def with_viewers(watcher: Watcher, address: str, viewers: int, seconds: float) -> dict[str, float]:
    """The graph's rate while so many look, and what they get."""

    async def look() -> list[dict[str, float]]:
        return list(await asyncio.gather(*(receive(address, seconds + 2.0) for _ in range(viewers))))

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(lambda: asyncio.run(look()))
        time.sleep(1.5)
        rate = watcher.rate(seconds)
        got = looking.result()
    return {"rate": rate, "fps": min(g["fps"] for g in got), "age_p95_ms": max(g["age_p95_ms"] for g in got)}


def in_browser(address: str, seconds: float) -> dict[str, Any]:
    """What a person has of it: Chromium, the picture 960 pixels wide."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 960, "height": 1080}, bypass_csp=True)
        page.goto(address)
        page.wait_for_function("window.faceAf && faceAf.picture.drawnFrames > 0", timeout=60_000, polling=20)
        first = page.evaluate("performance.now() / 1000")
        time.sleep(2.0)
        page.evaluate(
            """() => {
                window.glass = [];
                const picture = faceAf.picture;
                picture.canvas.addEventListener('drawn', () => glass.push(Date.now() - picture.frame.stamp / 1000));
            }"""
        )
        time.sleep(seconds)
        glass = page.evaluate("glass")
        taps = page.evaluate(
            f"""async () => {{
                const took = [];
                for (let n = 0; n < {TAPS}; n += 1) {{
                    const begun = performance.now();
                    const name = document.querySelector('#people-strip button').dataset.name;
                    const answer = await faceAf.link.act(n % 2 ? 'target' : 'nobody', n % 2 ? {{ name }} : {{}});
                    if (!answer.ok) throw new Error(answer.message || 'the connection was lost');
                    took.push(performance.now() - begun);
                    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 100));
                }}
                return took;
            }}"""
        )
        browser.close()
    return {
        "browser_fps": len(glass) / seconds,
        "glass_p50_ms": float(np.percentile(glass, 50)),
        "glass_p95_ms": float(np.percentile(glass, 95)),
        "tap_p50_ms": float(np.percentile(taps, 50)),
        "tap_p95_ms": float(np.percentile(taps, 95)),
        "first_frame_s": first,
    }


def measure(out: Path, seconds: float, rate: float, params_file: Path | None = None) -> dict[str, Any]:
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    arguments: dict[str, object] = {"page": "true", "page_port": port, "rate": rate}
    if params_file is not None:
        arguments["params_file"] = params_file.resolve()
    with live_graph(Watcher, out, arguments=arguments) as (graph, watcher):
        if not wait_until(lambda: len(watcher.stamps) > 30 or not graph.running, 120.0) or not graph.running:
            raise CastError(f"the graph does not start: {graph.problem()}")
        time.sleep(WARM_UP_S)
        pids = list(node_processes())
        threads = cpu_seconds(pids)
        alone = watcher.rate(seconds)
        # the runtime names each node's thread after it; the web server's is named by the page
        idle = sum(t - threads.get(n, 0.0) for n, t in cpu_seconds(pids).items() if n.startswith("page"))
        one = with_viewers(watcher, address, 1, seconds)
        again = watcher.rate(seconds)
        four = with_viewers(watcher, address, 4, seconds)
        # the machine's own ups and downs are not the page's
        alone = (alone + again) / 2
        browser = in_browser(address, seconds)
    size = sum(path.stat().st_size for path in WEB.rglob("*") if path.is_file())
    figures = {
        "graph_fps": alone,
        "graph_fps_one": one["rate"],
        "graph_fps_four": four["rate"],
        "lost_one_percent": 100.0 * (1.0 - one["rate"] / alone),
        "lost_four_percent": 100.0 * (1.0 - four["rate"] / alone),
        "client_fps_one": one["fps"],
        "client_age_p95_ms_one": one["age_p95_ms"],
        "client_fps_four": four["fps"],
        "idle_cpu_percent": 100.0 * idle / seconds,
        "page_kb": size / 1000.0,
        **browser,
    }
    return {name: round(float(value), 2) for name, value in figures.items()}


def missed(figures: dict[str, Any]) -> list[str]:
    """A line for each figure that is not reached."""
    lines = []
    for name, relation, limit in LIMITS:
        value = figures[name]
        reached = {"<": value < limit, "<=": value <= limit, ">=": value >= limit}[relation]
        if not reached:
            lines.append(f"{name} is {value}, wanted {relation} {limit}")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench page", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each part (15)")
    parser.add_argument("--out", type=Path, default=Path("out/bench/page"), help="folder for gallery and log")
    parser.add_argument("--rate", type=float, default=30.0, help="frames a second of the stage (30)")
    parser.add_argument(
        "--params", type=Path, metavar="FILE", help="parameters of the graph: a lighter detector for a slower machine"
    )
    parser.add_argument("--report", type=Path, help="write all figures there as JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 and one line for each figure that is missed")
    options = parser.parse_args(argv)
    try:
        import playwright  # noqa: F401

        figures = measure(options.out, options.seconds, options.rate, options.params)
    except ImportError:
        print("bench page: needs Chromium and playwright (./run python -m pip install playwright)", file=sys.stderr)
        return 1
    except CastError as error:
        print(f"bench page: {error}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        print(f"{name:<24} {value}")
    if options.report is not None:
        write_json(options.report, figures)
    lines = missed(figures)
    print("\n".join(lines), file=sys.stderr, end="\n" if lines else "")
    return 1 if options.check and lines else 0


if __name__ == "__main__":
    sys.exit(main())
