"""Datagrams for the ports that DDS listens at: damaged announcements of participants (RTPS, DDSI-RTPS 2.3).

DDS without SROS 2 believes whoever announces that a participant has gone or moved: now and then nodes do not reach one
another for some seconds, and that is a finding.
"""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from face_af_common.ros_domain import own_port

from .mutations import mutated

_LAST_PARTICIPANT = 31
"""Participants announce themselves to so many on this machine."""
_PORTS_OF_DOMAIN = 250
_HEADER_BYTES = 20
_PATIENCE_S = 15.0


class Announcements:
    """Real datagrams of the domain's participants, and the ports that they would be sent to."""

    def __init__(self, domain: int) -> None:
        self._first = own_port(domain, 0) - 10
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", own_port(domain, _LAST_PARTICIPANT)))
            self.heard = _heard(ear)
        self._mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    @property
    def ports(self) -> list[int]:
        """Where somebody listens now."""
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        found = {int(line.split()[1].partition(":")[2], 16) for line in lines}
        return sorted(port for port in found if self._first <= port < self._first + _PORTS_OF_DOMAIN)

    def damaged(self, rng: random.Random) -> bytes:
        """A datagram, mostly with a header that is right; some with a sender of its own."""
        data = rng.choice(self.heard)
        head, rest = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
        if rng.random() < 0.3:
            head = head[:8] + rng.randbytes(12)
        made = mutated(data, rng) if rng.random() < 0.2 else head + mutated(rest, rng)
        return made[:60_000]

    def send(self, batch: Sequence[bytes]) -> list[str]:
        ports = self.ports
        for data in batch:
            for port in ports:
                with contextlib.suppress(OSError):
                    self._mouth.sendto(data, ("127.0.0.1", port))
        return [f"sent to {'some' if ports else 'no'} ports"] * len(batch)


def _heard(ear: socket.socket) -> list[bytes]:
    ear.settimeout(1.0)
    found: set[bytes] = set()
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and len(found) < 40:
        with contextlib.suppress(TimeoutError):
            found.add(ear.recv(65_536))
    if not found:
        raise SystemExit("no participant announces itself")
    return sorted(found)


def attack(tries: Callable[..., None], domain: int, rng: random.Random) -> None:
    """``tries``: :meth:`~hostile_parts.graph.Attack.tries`."""
    announcements = Announcements(domain)
    tries("packets to DDS", lambda: announcements.damaged(rng), announcements.send)
