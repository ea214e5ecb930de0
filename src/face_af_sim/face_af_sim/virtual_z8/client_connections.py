"""The two connections of one PTP/IP client."""

from __future__ import annotations

import contextlib
import select
import socket


class Client:
    """The two connections of one client; they belong together."""

    def __init__(self, guid: bytes, number: int, command: socket.socket) -> None:
        self.guid = guid
        self.number = number
        self.command = command
        self.event: socket.socket | None = None
        self._unsent = b""

    def send_event(self, data: bytes) -> None:
        """Sends what the connection takes at once; a client that reads no events loses them, whole ones."""
        if self.event is None:
            return
        with contextlib.suppress(OSError):
            if self._unsent:
                self._unsent = self._unsent[self.event.send(self._unsent, socket.MSG_DONTWAIT) :]
            if not self._unsent:
                self._unsent = data[self.event.send(data, socket.MSG_DONTWAIT) :]

    @property
    def gone(self) -> bool:
        """Whether it has closed one of its connections."""
        poll = select.poll()
        for connection in (self.command, self.event):
            if connection is not None:
                poll.register(connection, select.POLLRDHUP)
        return bool(poll.poll(0))

    def shut(self) -> None:
        for connection in (self.command, self.event):
            if connection is not None:
                shut(connection)


def shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
