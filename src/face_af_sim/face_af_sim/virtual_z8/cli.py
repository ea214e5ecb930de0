"""``ros2 run face_af_sim virtual_z8``: a virtual Z8 on a TCP port, for the driver, gphoto2 or a client of one's own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from nikon_mcn10_driver.profile import ProfileError
from nikon_mcn10_driver.ptp.ip import PORT
from nikon_mcn10_driver.transport.address import address_text, bare_host

from .body import DemoBody
from .faults import FaultKind, Faults
from .grip import grip_of
from .ptpip_server import PtpIpServer
from .responder import VirtualZ8


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="virtual_z8", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", help="IPv4 or IPv6 address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, default=PORT, help="TCP port, 0 takes a free one (default: %(default)s)")
    parser.add_argument("--serial", default="SIM0000451", help="serial number (default: %(default)s)")
    parser.add_argument(
        "--subjects", type=int, default=4, choices=range(1, 9), help="people in the picture (default: 4)"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND[:COUNT[:VALUE]]",
        help=f"something that goes wrong, may be repeated: {', '.join(kind.value for kind in FaultKind)}",
    )
    parser.add_argument("--grip", default="", metavar="FILE", help="hear the grip of this remote profile instead")
    parser.add_argument("--unpaired", action="store_true", help="offer only what a body does before it is paired")
    args, _ = parser.parse_known_args(argv)
    faults = Faults()
    for text in args.fault:
        name, count, value = (text.split(":", 2) + ["1", "0"][text.count(":") :])[:3]
        try:
            faults.inject(FaultKind(name), count=int(count, 0), value=int(value, 0))
        except ValueError:
            kinds = ", ".join(kind.value for kind in FaultKind)
            parser.error(f"--fault {text}: KIND[:COUNT[:VALUE]] is needed, with one of {kinds}")
    try:
        grip = grip_of(args.grip)
    except ProfileError as error:
        print(f"virtual_z8: {error}", file=sys.stderr)
        return 2
    body = DemoBody(args.subjects)
    camera = VirtualZ8(body, serial=args.serial, faults=faults, paired=not args.unpaired, grip=grip)
    server = PtpIpServer(camera, args.host, args.port)
    try:
        server.start()
    except (OSError, OverflowError) as error:
        print(f"virtual_z8: port {args.port} on {args.host}: {error}", file=sys.stderr)
        return 2
    print(
        f"virtual Z 8, serial {args.serial}, at {address_text(bare_host(server.host), server.port)} (Ctrl-C ends it)",
        flush=True,
    )
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    seen = 0, 0
    while not over.wait(0.2):
        if (body.presses, camera.images) != seen:
            seen = body.presses, camera.images
            print(f"{seen[0]} presses, {seen[1]} images", flush=True)
    server.stop()
    return 0
