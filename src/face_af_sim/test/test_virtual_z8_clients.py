"""Real clients: gphoto2 works with the virtual Z8, Wireshark's dissector finds nothing malformed."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import PtpIpServer, VirtualZ8
from face_af_sim.virtual_z8.body import DemoBody
from nikon_mcn10_driver.af_area import AfArea
from nikon_mcn10_driver.params import AfAreaParams
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.ptp.ip import PORT
from nikon_mcn10_driver.remote import PtpRemote
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport

needs_gphoto2 = pytest.mark.skipif(shutil.which("gphoto2") is None, reason="gphoto2 is not installed")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
FOLDER = Path(__file__).parents[3] / "config" / "remote"


@pytest.fixture
def server():
    body = DemoBody()
    server = PtpIpServer(VirtualZ8(body), port=0)
    server.body = body
    server.start()
    yield server
    server.stop()


def gphoto2(port: int, *arguments: str, cwd: Path) -> str:
    # address:port:event port
    command = ["gphoto2", "--port", f"ptpip:127.0.0.1:{port}:{port}", *arguments]
    done = subprocess.run(
        command,
        cwd=cwd,
        env={"HOME": str(cwd), "LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_gphoto2
def test_summary(server, tmp_path):
    text = gphoto2(server.port, "--summary", cwd=tmp_path)
    assert "Model: Z 8" in text and "Serial Number: SIM0000451" in text and "Battery Level(0x5001)" in text
    assert "Nikon Corporation" in text and "NIKON Z 8" in text


@needs_gphoto2
def test_configuration(server, tmp_path):
    assert "/main/actions/changeafarea" in gphoto2(server.port, "--list-config", cwd=tmp_path)
    assert "Current: 400" in gphoto2(server.port, "--get-config", "iso", cwd=tmp_path)
    gphoto2(server.port, "--set-config", "iso=800", cwd=tmp_path)
    assert "Current: 800" in gphoto2(server.port, "--get-config", "iso", cwd=tmp_path)
    assert "87%" in gphoto2(server.port, "--get-config", "batterylevel", cwd=tmp_path)


@needs_gphoto2
def test_events(server, tmp_path):
    timer = threading.Timer(1.0, server.camera.set_property, (0x500F, 1600))
    timer.start()
    text = gphoto2(server.port, "--wait-event=2s", cwd=tmp_path)
    timer.join()
    assert "500f" in text.lower() or "iso" in text.lower(), text


@needs_gphoto2
def test_preview_and_capture(server, tmp_path):
    gphoto2(server.port, "--capture-preview", cwd=tmp_path)
    picture = (tmp_path / "capture_preview.jpg").read_bytes()
    assert picture[:2] == b"\xff\xd8" and picture[-2:] == b"\xff\xd9"
    gphoto2(server.port, "--capture-image-and-download", "--filename", "shot.jpg", cwd=tmp_path)
    assert (tmp_path / "shot.jpg").read_bytes()[:2] == b"\xff\xd8"


class Recorder:
    """Passes connections on to the camera and keeps what went through."""

    def __init__(self, target: int) -> None:
        self.chunks: list[tuple[int, bool, bytes]] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            camera = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, up in ((client, camera, True), (camera, client, False)):
                threading.Thread(target=self._pass_on, args=(number, source, sink, up), daemon=True).start()
            number += 1

    def _pass_on(self, number: int, source: socket.socket, sink: socket.socket, up: bool) -> None:
        while data := source.recv(1 << 16):
            with self._lock:
                self.chunks.append((number, up, data))
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()

    def write_pcap(self, path: Path) -> None:
        """The recording as TCP to port 15740, with headers made up for it."""
        sequence: dict[tuple[int, bool], int] = {}
        out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
        now = 0
        for number, up, data in self.chunks:
            for i in range(0, len(data), 1400):
                part = data[i : i + 1400]
                ports = (40000 + number, PORT) if up else (PORT, 40000 + number)
                seq, ack = sequence.get((number, up), 1), sequence.get((number, not up), 1)
                tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, 0x18, 65535, 0, 0) + part
                head = struct.pack(
                    ">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
                )
                packet = head + tcp
                out.append(struct.pack("<IIII", now // 1000, now % 1000 * 1000, len(packet), len(packet)) + packet)
                sequence[number, up] = seq + len(part)
                now += 1
        path.write_bytes(b"".join(out))


def dissect(path: Path, *arguments: str) -> str:
    command = ["tshark", "-r", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def drive(port: int, cwd: Path) -> None:
    remote = PtpRemote(
        PtpIpTransport("127.0.0.1", port), load_profile("virtual_z8", FOLDER), AfArea(AfAreaParams(drive="always"))
    )
    remote.connect()
    for kind in (ActionKind.LEFT, ActionKind.FN2):
        remote.perform(Action(kind), 0.2)
    remote.perform(Action(ActionKind.AF_AREA, x=0.3, y=0.6), 0.2)
    remote.heartbeat()
    remote.close()


def shoot(port: int, cwd: Path) -> None:
    for arguments in (("--summary",), ("--capture-preview",), ("--set-config", "iso=800")):
        gphoto2(port, *arguments, cwd=cwd)


@needs_tshark
@pytest.mark.parametrize("client", [drive, pytest.param(shoot, marks=needs_gphoto2)])
def test_wireshark_finds_nothing_malformed(server, tmp_path, client):
    recorder = Recorder(server.port)
    try:
        client(recorder.port, tmp_path)
        server.camera.set_property(0x500F, 1600)
        time.sleep(0.1)
    finally:
        recorder.close()
    path = tmp_path / "session.pcap"
    recorder.write_pcap(path)
    # the fields' names exist in every version of the dissector since 1.10
    seen = dissect(path, "-Y", "ptpip", "-T", "fields", "-e", "ptpip.pktType")
    assert len(seen.split()) > 20
    bad = dissect(path, "-Y", "_ws.malformed || _ws.expert.severity == error || (ptpip && tcp.segment.error)")
    assert bad == ""
