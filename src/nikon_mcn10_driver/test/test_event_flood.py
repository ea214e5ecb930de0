"""A camera that sends events without end does not keep the driver from its presses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from nikon_mcn10_driver.ptp import ip
from nikon_mcn10_driver.ptp.ip import PacketType
from nikon_mcn10_driver.transport.base import MAX_EVENTS
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport


@pytest.fixture
def flooding_port() -> Iterator[int]:
    """A camera that greets and then sends events as fast as it can."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        command, _ = listener.accept()
        command.recv(1000)
        command.sendall(ip.init_command_ack(1, ip.Hello(bytes(16), "flood")).encode())
        events, _ = listener.accept()
        events.recv(1000)
        events.sendall(ip.Packet(PacketType.INIT_EVENT_ACK).encode())
        flood = ip.CodeAndParams(0x4006, 0, (1,)).encode(PacketType.EVENT) * 2000
        with command, events:
            while not over.is_set():
                try:
                    events.sendall(flood)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    listener.close()


def test_events_are_taken_over_in_bounded_number(flooding_port: int) -> None:
    transport = PtpIpTransport("127.0.0.1", flooding_port)
    transport.connect()
    taken = 0
    for _ in range(20):
        found = transport.events()
        assert len(found) < MAX_EVENTS + 10_000  # one read may hold some thousands
        taken += len(found)
        time.sleep(0.01)
    transport.close()
    assert taken > MAX_EVENTS
