"""What only PTP/IP has: two connections, one client, probes, clients that send nonsense."""

from __future__ import annotations

import os
import random
import socket
import threading
import time

import pytest

from face_af_sim.controls import LiveView
from face_af_sim.virtual_z8 import PtpIpServer, VirtualZ8
from face_af_sim.virtual_z8.recording import RecordingBody
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import ip
from nikon_mcn10_driver.session import Session
from nikon_mcn10_driver.transport import DeviceGone, TransportError
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport


@pytest.fixture
def server():
    threads = threading.active_count()
    server = PtpIpServer(VirtualZ8(RecordingBody()), port=0)
    server.start()
    yield server
    server.stop()
    assert threading.active_count() == threads


def open_session(server: PtpIpServer, guid: bytes | None = None) -> Session:
    session = Session(PtpIpTransport("127.0.0.1", server.port, guid))
    session.open()
    return session


def test_it_listens_on_this_machine_only(server):
    socket.create_connection(("127.0.0.1", server.port)).close()
    with pytest.raises(ConnectionRefusedError):  # which a server for every address would take
        socket.create_connection(("127.0.0.2", server.port))


@pytest.mark.parametrize(("listen", "reach"), [("::1", "::1"), ("[::1]", "[::1]"), ("::1", "localhost")])
def test_it_may_be_reached_over_ipv6(listen, reach):
    if reach == "localhost" and socket.AF_INET6 not in {entry[0] for entry in socket.getaddrinfo("localhost", 1)}:
        pytest.skip("localhost has no IPv6 address here")
    server = PtpIpServer(VirtualZ8(RecordingBody()), host=listen, port=0)
    try:
        server.start()
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    try:
        session = Session(PtpIpTransport(reach, server.port))
        assert session.open().model == "Z 8"
        session.close()
    finally:
        server.stop()
    with pytest.raises(DeviceGone, match=rf"no camera at (\[::1\]|localhost):{server.port}"):
        Session(PtpIpTransport(reach, server.port)).open()


def test_it_may_be_stopped_while_a_client_arrives(server, monkeypatch):
    arriving, go_on = threading.Event(), threading.Event()
    start = threading.Thread.start

    def start_late(thread: threading.Thread) -> None:
        if thread.name == "virtual_z8_serve":
            arriving.set()
            assert go_on.wait(5.0)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_late)
    for _ in range(10):  # in which order it ends its threads is up to chance
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            assert arriving.wait(5.0)
            threading.Timer(0.02, go_on.set).start()
            server.stop()
            assert connection.recv(1) == b""
        arriving.clear()
        go_on.clear()
        server.start()


def test_another_client_is_told_that_the_camera_is_busy(server):
    session = open_session(server)
    with pytest.raises(TransportError, match="busy with another program"):
        open_session(server, bytes(16))
    assert session.run(Op.NIKON_DEVICE_READY)
    session.close()
    open_session(server, bytes(16)).close()


def test_a_client_that_was_killed_may_come_again(server):
    """Its old connection is still open as far as TCP knows."""
    first = open_session(server)
    second = open_session(server)
    assert second.run(Op.NIKON_DEVICE_READY)
    with pytest.raises(DeviceGone):
        first.run(Op.NIKON_DEVICE_READY)
    first.close()
    second.close()


def test_closing_and_opening_again_at_once(server):
    """The end of the old connections must not take the new ones along."""
    for _ in range(60):
        open_session(server).close()


def test_probes_are_answered(server):
    session = open_session(server)
    for _ in range(3):
        server.probe()
    time.sleep(0.05)
    assert session.channel_events() == []
    assert session.run(Op.NIKON_DEVICE_READY), "the camera has not given up"
    session.close()


def test_long_data_comes_in_parts(server):
    data = os.urandom(3_000_000)
    handle = server.camera.card.keep(LiveView(data, 640, 480), sdram=False)
    session = open_session(server)
    assert session.run(Op.GET_OBJECT, handle).data == data
    assert session.transact(Op.SET_DEVICE_PROP_VALUE, 0x500F, data=data).code == 0x201B
    session.close()


def test_events_that_nobody_reads_do_not_stop_the_camera(server):
    session = open_session(server)
    for _ in range(20_000):
        # more than the connection's buffers take; what is lost is lost whole
        for _ in range(5):
            server.probe()
        server.camera.emit(0x4006, 1)
    assert session.run(Op.NIKON_DEVICE_READY)
    assert {(event.code, event.params) for event in session.channel_events()} <= {(0x4006, (1,))}
    session.close()


def test_an_event_connection_without_its_command_connection_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(ip.Packet(ip.PacketType.INIT_EVENT_REQUEST, (77).to_bytes(4, "little")).encode())
        packets = ip.PacketAssembler()
        packets.feed(connection.recv(100))
        assert packets.pop().type == ip.PacketType.INIT_FAIL


def test_nonsense_is_survived(server):
    rng = random.Random(5)
    hello = ip.init_command_request(ip.Hello(bytes(16), "x")).encode()
    for i in range(60):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            data = bytearray(hello + ip.OperationRequest(0x1002, 0, (1,)).encode() + rng.randbytes(40))
            for _ in range(rng.randrange(4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            connection.sendall(data if i % 2 else rng.randbytes(60))
    end = time.monotonic() + 5
    while True:
        try:
            session = open_session(server)
            break
        except TransportError:
            assert time.monotonic() < end
            time.sleep(0.02)
    assert session.info.model == "Z 8"
    session.close()


@pytest.mark.parametrize(
    "answer", [b"", b"\0" * 8, b"\xff" * 100, ip.Packet(ip.PacketType.INIT_COMMAND_ACK, b"1").encode()]
)
def test_a_server_that_is_no_camera_is_one_clear_error(answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.sendall(answer)
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(TransportError):
            Session(PtpIpTransport("127.0.0.1", listener.getsockname()[1])).open()
        thread.join()
