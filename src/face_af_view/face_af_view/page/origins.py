"""Which names the page answers to, and from which pages it takes orders. Guards against pages of other sites."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(address: str) -> bool:
    """Whether an address to bind to is reached from this machine only."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def host_of(header: str) -> str:
    """The name or address in a ``Host`` header without its port, lower case; empty where it is none."""
    try:
        return (urlsplit(f"//{header.strip()}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def host_allowed(header: str, names: Iterable[str]) -> bool:
    """Whether a request's ``Host`` names this machine.

    A page of another site may have its own name point to this machine (DNS rebinding), but cannot choose the name
    that the browser says. Addresses cannot be rebound.
    """
    host = host_of(header)
    if not host:
        return False
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        return host in {name.lower() for name in names}


def origin_allowed(origin: str | None, host: str, scheme: str) -> bool:
    """Whether a page that gives an order (``Origin`` header) is this one, reached as ``host`` by ``scheme``.

    Browsers send the header with every order; a program without one is no page that a person was lured to.
    """
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        return parts.scheme == scheme and bool(parts.netloc) and parts.netloc.lower() == host.strip().lower()
    except ValueError:
        return False
