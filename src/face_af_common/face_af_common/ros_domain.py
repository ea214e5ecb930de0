"""A ROS domain and ports of one's own, so that graphs on one machine do not hear one another."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path

from . import files

_DOMAINS = range(40, 100)
"""Away from the usual 0; up to 101 the ports stay clear of Linux' ephemeral ones (DDSI-RTPS 9.6.1.1)."""

_claims: dict[int, contextlib.ExitStack] = {}
"""Lock files of the domains that this process uses; they are let go when it ends, however it ends."""


def claim_domain() -> int:
    """A ROS domain id that no other demo or test on this machine uses, ours until this process ends or releases it.

    Other graphs are noticed by the first participant's port.
    """
    for domain in _DOMAINS:
        lock = contextlib.ExitStack()
        try:
            # never a link: the folder is everybody's
            lock.enter_context(files.locked(Path(tempfile.gettempdir(), f"face_af-domain-{domain}.lock"), wait_s=0.0))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("0.0.0.0", own_port(domain, 0)))
        except OSError:  # another graph's, or another user's file
            lock.close()
            continue
        _claims[domain] = lock
        return domain
    raise OSError("every ROS domain id from 40 to 99 is in use on this machine")


def release_domain(domain: int) -> None:
    """Others may claim ``domain``, which this process has claimed, again."""
    _claims.pop(domain).close()


def own_port(domain: int, participant: int) -> int:
    """The UDP port at which a participant hears of others (metatraffic unicast, DDSI-RTPS 9.6.1.1)."""
    return 7410 + 250 * domain + 2 * participant


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
