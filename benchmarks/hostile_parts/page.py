"""Requests and messages to the page that no browser sends."""

from __future__ import annotations

import base64
import json
import random
import socket
import struct
from collections.abc import Callable, Sequence

from face_af_view.page import protocol

from .mutations import number, text

_PATHS = (
    "/", "/ws", "/api/session", "/api/pair", "/api/leave", "/api/devices", "/api/link", "/api/people", "/api/face",
    "/api/photo", "/api/recipes", "/api/parameters", "/texts/en.json", "/page.js", "/../../etc/passwd", "/api/absent",
)  # fmt: skip
_PATIENCE_S = 2.0


def request(port: int, rng: random.Random) -> bytes:
    """An HTTP request, most of it right."""
    host = f"127.0.0.1:{port}" if rng.random() < 0.9 else text(rng)[:300]
    query = f"?name={text(rng)[:500]}&track={number(rng)}" if rng.random() < 0.4 else ""
    body = json.dumps(_act(rng)) if rng.random() < 0.7 else text(rng)
    data = body.encode("utf-8", "surrogatepass")
    length: object = len(data) if rng.random() < 0.9 else rng.choice((-1, 10**9, "x", 2**64))
    head = (
        f"{rng.choice(('GET', 'GET', 'POST', 'PUT', 'HEAD', 'X'))} {rng.choice(_PATHS)}{query} HTTP/1.1\r\n"
        f"Host: {host}\r\nOrigin: http://{host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("utf-8", "surrogatepass") + data


def ask(port: int, data: bytes) -> str:
    """What became of a request: the status (500 is an exception that nobody foresaw), or how it ended."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S) as connection:
            connection.sendall(data)
            answer = connection.recv(12)
            while connection.recv(1 << 16):
                pass
    except TimeoutError:
        if not answer:
            return "no answer within 2 s"
    except OSError:
        return "closed"
    status = answer[9:12].decode(errors="replace")
    return f"answered {status}" if status.isdecimal() else "closed"


class Socket:
    """A WebSocket by hand, for messages of any content."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
        key = base64.b64encode(bytes(16)).decode()
        self._connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.open = self._connection.recv(12).endswith(b"101")

    def send(self, payload: bytes, kind: int) -> None:
        length = len(payload)
        head = (
            bytes([0x80 | kind, 0x80 | length])
            if length < 126
            else bytes([0x80 | kind, 0xFE]) + struct.pack(">H", length)
        )
        self._connection.sendall(head + bytes(4) + payload)

    def close(self) -> None:
        self._connection.close()


def message(rng: random.Random) -> bytes:
    """A message of a page, most of it right."""
    data = json.dumps(_act(rng)).encode() if rng.random() < 0.8 else rng.randbytes(rng.randrange(200))
    return data[:60_000]


def over_sockets(port: int) -> Callable[[Sequence[bytes], random.Random], list[str]]:
    """Sends each batch over a WebSocket of its own; what it answers is left unread."""

    def send(batch: Sequence[bytes], rng: random.Random) -> list[str]:
        try:
            connection = Socket(port)
        except TimeoutError:
            return ["no answer within 2 s"]
        except OSError:
            return ["closed"]
        sent = 0
        try:
            for payload in batch if connection.open else []:
                connection.send(payload, rng.choice((1, 1, 1, 1, 2, 0, 9, 15)))
                sent += 1
        except OSError:
            pass
        connection.close()
        return ["sent"] * sent + ["closed"] * (len(batch) - sent)

    return send


def _act(rng: random.Random) -> object:
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(
            ([], None, 1, "x", {"t": {}}, {"t": "act", "act": []}, {"t": "act", "id": 1, "act": "absent"})
        )
    if kind < 0.2:
        return {"t": "view", "width": rng.choice((0, 320, 10**9)), "looking": rng.choice((True, False, 1))}
    if kind < 0.3:
        return {"t": "drawn", "n": rng.choice((0, 5, -1, 2**60, 1.5, None))}
    name = rng.choice(sorted(protocol.ACTS))
    act: dict[str, object] = {"t": "act", "act": name, "id": rng.randrange(1000)}
    for key, field in protocol.ACTS[name].items():
        act[key] = _good(field, rng) if rng.random() < 0.85 else rng.choice((text(rng)[:3000], number(rng), None, []))
    return act


def _good(field: protocol.Field, rng: random.Random) -> object:
    if field.choices:
        return rng.choice(field.choices)
    if field.kind is str:
        return rng.choice(("anna", "steering", "paused", "min_interval_s", "true", "0.2", text(rng)[:90]))
    return {int: rng.randrange(1, 50), float: rng.random(), bool: rng.random() < 0.5}[field.kind]
