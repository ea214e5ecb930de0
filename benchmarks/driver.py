"""``./run bench driver``: the camera driver against the virtual Z8, over USB (in memory) and PTP/IP (loopback).

Three measurements and the decoders' fuzz target: how long a command takes to leave, whether 1,000 presses a minute keep
order and memory, and whether every disconnect at a random byte is survived without a leftover or a press too many.
Both transports are measured at the same time, each in a process of its own.
``--minutes 10 --cycles 1000 --inputs 1000000``, about 18 minutes, are the figures that the documentation quotes.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import random
import sys
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from face_af_common.files import write_json
from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import FaultKind, PtpIpServer, VirtualZ8
from face_af_sim.virtual_z8.recording import RecordingBody
from face_af_sim.virtual_z8.usb_backend import VirtualUsbBackend
from face_af_sim.virtual_z8.usb_device import VirtualUsbDevice
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.remote import PtpRemote
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport
from nikon_mcn10_driver.transport.usb import UsbTransport

sys.path.insert(0, str(Path(__file__).parents[1] / "test"))
from decoder_fuzz import fuzz

PROFILE = load_profile("virtual_z8", Path(__file__).parents[1] / "config" / "remote")
BUTTONS = tuple(PROFILE.buttons)
TRANSPORTS = ("ptpip", "usb")
LATENCY_LIMIT_MS = 5.0
MEMORY_LIMIT_MB = 1.0
"""Growth after the first tenth of the time; what leaked at 1,000 presses a minute would be far above."""
FIRST_BYTES = 1500
"""A disconnect comes within so many bytes: connection, opening, the first presses and heartbeats."""

STUCK_S = 30.0

LATE_S = 0.5
"""A press this long after its command is late."""


class Rig:
    """A virtual camera and a link to it."""

    def __init__(self, transport: str) -> None:
        self.body = RecordingBody()
        self.camera = VirtualZ8(self.body)
        self.faults = self.camera.faults
        self.plug: Callable[[], None] = lambda: None
        self._stop: Callable[[], None] = lambda: None
        if transport == "usb":
            device = VirtualUsbDevice(self.camera)
            backend = VirtualUsbBackend(device)
            self.plug = device.plug
            self._transport: Callable[[], UsbTransport | PtpIpTransport] = lambda: UsbTransport(backend=backend)
        else:
            server = PtpIpServer(self.camera, port=0)
            server.start()
            self._stop = server.stop
            self._transport = lambda: PtpIpTransport("127.0.0.1", server.port)
        timing = LinkTiming(max_command_age=0.2, reconnect_min=0.001, reconnect_max=0.05)
        self.link = CameraLink(lambda: PtpRemote(self._transport(), PROFILE), timing=timing)
        self.link.start()

    def wait_connected(self, seconds: float = 30.0) -> bool:
        end = time.monotonic() + seconds
        while not self.link.status.connected:
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True

    def send(self, kind: ActionKind, number: int) -> Command:
        command = Command(Action(kind), time.time_ns(), number)
        self.link.submit(command)
        command.done.wait(30)
        return command

    def close(self) -> None:
        self.link.close()
        self._stop()


def rate(transport: str, minutes: float, per_minute: int) -> dict[str, float]:
    """Presses at a steady rate: order, loss, memory, and how long each took to leave."""
    rig = Rig(transport)
    rig.wait_connected()
    rng = random.Random(1)
    process = psutil.Process()
    count = round(minutes * per_minute)
    # of fixed size, so that what grows is the driver
    latencies = array("d", bytes(8 * count))
    refused = lost = surplus = 0
    warm = 0.0
    start = time.monotonic()
    for number in range(1, count + 1):
        kind = rng.choice(BUTTONS)
        command = rig.send(kind, number)
        latencies[number - 1] = rig.link.status.latency_s * 1e3
        arrived = [kind for _, kind in rig.body.presses]
        rig.body.presses.clear()
        refused += command.outcome != ""
        lost += command.outcome == "" and kind not in arrived
        surplus += arrived not in ([kind], [])
        if number == max(1, count // 10):
            gc.collect()
            warm = process.memory_info().rss / 2**20
        time.sleep(max(0.0, start + number * 60 / per_minute - time.monotonic()))
    spent = time.monotonic() - start
    gc.collect()
    grown = process.memory_info().rss / 2**20 - warm
    rig.close()
    ordered = sorted(latencies)
    return {
        "presses": count,
        "per_minute": round(count / spent * 60),
        "lost": lost,
        "out_of_order_or_surplus": surplus,
        "refused": refused,
        "latency_p50_ms": round(ordered[len(ordered) // 2], 3),
        "latency_p95_ms": round(ordered[int(len(ordered) * 0.95)], 3),
        "latency_max_ms": round(ordered[-1], 3),
        "memory_growth_mb": round(grown, 2),
    }


@dataclass
class Tally:
    """Presses so far, and those that came twice, late, or not at all although the link says so."""

    number: int = 0
    twice: int = 0
    late: int = 0
    wrong: int = 0


def press_until_broken(rig: Rig, rng: random.Random, tally: Tally) -> None:
    """Presses buttons until the injected break has come, or is not coming."""
    give_up = time.monotonic() + STUCK_S
    while rig.faults.pending and time.monotonic() < give_up:
        if not rig.link.status.connected:
            time.sleep(0.001)
            continue
        tally.number += 1
        before = len(rig.body.presses)
        command = rig.send(rng.choice(BUTTONS), tally.number)
        if command.outcome:
            # what the camera had already received may still be on its way through the server
            time.sleep(0.001)
        new = rig.body.presses[before:]
        tally.twice += len(new) > 1
        tally.wrong += command.outcome == "" and not new
        tally.late += any(at - command.received > LATE_S for at, _ in new)


def left_over(threads: int, files: int) -> tuple[int, int]:
    """Threads and file descriptors more than so many, once they have had 5 s to go."""
    end = time.monotonic() + 5
    left = (0, 0)
    while time.monotonic() < end:
        gc.collect()
        left = threading.active_count() - threads, psutil.Process().num_fds() - files
        if max(left) <= 0:
            break
        time.sleep(0.05)
    return max(0, left[0]), max(0, left[1])


def disconnects(transport: str, cycles: int) -> dict[str, float]:
    """The connection breaks at random bytes while presses go out; what is left over, sent twice or late."""
    rng = random.Random(2)
    gc.collect()
    threads, files = threading.active_count(), psutil.Process().num_fds()
    rig = Rig(transport)
    tally, breaks = Tally(), 0
    away: list[float] = []
    start = broken_at = time.monotonic()
    for cycle in range(cycles):
        # every other break may already hit the new connection while it is being made
        early = cycle % 2 == 1
        if not early:
            rig.plug()
            if not rig.wait_connected():
                break
            away.append(time.monotonic() - broken_at)
        rig.faults.inject(FaultKind.DISCONNECT, value=rng.randrange(FIRST_BYTES))
        rig.plug()
        press_until_broken(rig, rng, tally)
        if rig.faults.pending:
            break
        broken_at = time.monotonic()
        breaks += 1
        end = time.monotonic() + STUCK_S
        while rig.link.status.connected and time.monotonic() < end:
            time.sleep(0.0005)
    rig.faults.clear()
    rig.plug()
    connected = rig.wait_connected()
    spent = time.monotonic() - start
    reconnects = rig.link.status.reconnects
    rig.close()
    threads_left, files_left = left_over(threads, files)
    away.sort()
    return {
        "breaks": breaks,
        "reconnects": reconnects,
        "always_reconnected": connected and breaks == cycles,
        "sent_twice": tally.twice,
        "late": tally.late,
        "confirmed_but_not_pressed": tally.wrong,
        "threads_left": threads_left,
        "files_left": files_left,
        "away_p95_s": round(away[int(len(away) * 0.95)], 3),
        "seconds": round(spent, 1),
    }


def fuzzing(inputs: int) -> dict[str, float]:
    start = time.monotonic()
    count = fuzz(float("inf"), seed=3, at_most=inputs)
    return {"inputs": count, "findings": 0, "seconds": round(time.monotonic() - start, 1)}


def print_table(title: str, columns: dict[str, dict[str, float]]) -> None:
    names = list(columns)
    print(f"\n{title:<28}" + "".join(f"{name:>14}" for name in names))
    for key in next(iter(columns.values())):
        print(f"  {key:<26}" + "".join(f"{_text(columns[name][key]):>14}" for name in names))


def _text(value: float) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./run bench driver", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--minutes", type=float, default=0.25, help="of steady presses on each transport (default 0.25)"
    )
    parser.add_argument("--per-minute", type=int, default=1000, help="presses a minute (default 1000)")
    parser.add_argument("--cycles", type=int, default=200, help="disconnects on each transport (default 200)")
    parser.add_argument("--inputs", type=int, default=200_000, help="fuzzed inputs (default 200,000)")
    parser.add_argument("--transport", choices=TRANSPORTS, help="only this one")
    parser.add_argument("--report", type=Path, help="write the figures to this JSON file")
    args = parser.parse_args(argv)
    transports = (args.transport,) if args.transport else TRANSPORTS
    report: dict[str, dict[str, dict[str, float]]] = {}
    # fresh processes, so that neither inherits the other's memory, threads or files
    with ProcessPoolExecutor(len(transports), multiprocessing.get_context("spawn")) as pool:
        presses = {name: pool.submit(rate, name, args.minutes, args.per_minute) for name in transports}
        report["presses"] = {name: figures.result() for name, figures in presses.items()}
        print_table("steady presses", report["presses"])
        breaks = {name: pool.submit(disconnects, name, args.cycles) for name in transports}
        report["disconnects"] = {name: figures.result() for name, figures in breaks.items()}
        print_table("disconnects at random bytes", report["disconnects"])
    report["fuzzing"] = {"decoders": fuzzing(args.inputs)}
    print_table("mutated input", report["fuzzing"])
    faults = [
        f"{name}: command to last byte p95 {row['latency_p95_ms']} ms, {LATENCY_LIMIT_MS} are allowed"
        for name, row in report["presses"].items()
        if row["latency_p95_ms"] > LATENCY_LIMIT_MS
    ]
    for name, row in report["presses"].items():
        faults += [f"{name}: {key} {row[key]}" for key in ("lost", "out_of_order_or_surplus", "refused") if row[key]]
        if row["memory_growth_mb"] > MEMORY_LIMIT_MB:
            faults.append(f"{name}: grown by {row['memory_growth_mb']} MB, {MEMORY_LIMIT_MB} are allowed")
    for name, row in report["disconnects"].items():
        if not row["always_reconnected"]:
            faults.append(f"{name}: not reconnected")
        for key in ("sent_twice", "late", "confirmed_but_not_pressed", "threads_left", "files_left"):
            if row[key]:
                faults.append(f"{name}: {key} {row[key]}")
    if args.report:
        write_json(args.report, report)
    print("\n" + ("\n".join(faults) if faults else "every figure is reached"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
