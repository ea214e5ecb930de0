"""HTTP calls, to the local network only: a house's own devices, never the internet."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from .workers import ActionError

METHODS = ("GET", "POST", "PUT")
MAX_BODY = 10_000
"""Bytes of a request."""
_ANSWER = 65_536
"""Bytes of an answer that are read."""


class RequestError(ValueError):
    """A request that cannot be made; one line."""


@dataclass(frozen=True)
class Request:
    url: str
    method: str = "POST"
    body: str = ""
    timeout_s: float = 5.0

    @classmethod
    def checked(cls, url: str, method: str, body: str, timeout_s: float) -> Request:
        """Raises :class:`RequestError`."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RequestError(f"{url[:80]!r} is no web address ({error})") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isprintable():
            raise RequestError(f"{url[:80]!r} is no web address like http://192.168.1.20/on")
        if parts.username is not None:
            raise RequestError("a web address with a password in it: put none there")
        if method not in METHODS:
            raise RequestError(f"method {method[:20]!r} is none of {', '.join(METHODS)}")
        if len(body.encode()) > MAX_BODY:
            raise RequestError(f"a body of more than {MAX_BODY} bytes")
        return cls(url, method, body, timeout_s)


def send(request: Request) -> int:
    """Makes the call and returns the status of the answer. Raises ``ActionError`` where it fails or is not local.

    Redirections are not followed: they could lead out of the house.
    """
    parts = urlsplit(request.url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = _local_address(host, port)
    made: http.client.HTTPConnection
    if secure:
        made = http.client.HTTPSConnection(host, port, timeout=request.timeout_s)
    else:
        made = http.client.HTTPConnection(host, port, timeout=request.timeout_s)
    # the address that was looked at, not what the name means a moment later
    made._create_connection = lambda _, *rest: socket.create_connection((address, port), *rest)  # type: ignore[attr-defined]
    deadline = time.monotonic() + request.timeout_s
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = request.body.encode() if request.body else None
        made.request(request.method, path, body, {"User-Agent": "face_af"})
        answer = made.getresponse()
        taken = 0
        while taken < _ANSWER and time.monotonic() < deadline and (part := answer.read1(4096)):
            taken += len(part)
    except (OSError, http.client.HTTPException) as error:
        raise ActionError(f"{request.url}: no answer ({error or type(error).__name__})") from error
    finally:
        made.close()
    if answer.status >= 300:
        raise ActionError(f"{request.url}: answers {answer.status} {answer.reason}")
    return answer.status


def _local_address(host: str, port: int) -> str:
    """The address of ``host``, which must be in a local network. Raises ``ActionError``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ActionError(f"{host}: not found ({error.strerror or error})") from error
    for *_, where in found:
        address = str(where[0])
        ip = ipaddress.ip_address(address.split("%")[0])
        if (ip.is_private or ip.is_loopback or ip.is_link_local) and not ip.is_unspecified:
            return address
    raise ActionError(f"{host} is not in the local network; calls go to the house's own devices only")
