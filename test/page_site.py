"""The page's site, browser and phones for tests, and what a person does there: looks, taps, has a slow line."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from processes import Started, started

from face_af_common.ros_domain import free_port
from face_af_sim import samples
from face_af_sim.demo.cast import prepare

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed here")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

WAIT_MS = 60_000
"""Patience, not a figure: the machine that runs the tests may be slow."""


PHONE = {"width": 390, "height": 780}


class Site:
    """The running graph and its page."""

    def __init__(self, run: Started, port: int, target: str, data: Path) -> None:
        self.run, self.target, self.data = run, target, data
        self.address = f"https://localhost:{port}/"

    @property
    def pin(self) -> str:
        return re.findall(r"PIN (\d{6})", self.run.output())[-1]


def live(page: Any) -> None:
    page.wait_for_function("window.faceAf && faceAf.picture.drawnFrames > 3 && !faceAf.picture.stale", timeout=WAIT_MS)


def said(page: Any) -> Any:
    return playwright.expect(page.locator("#toast-text"))


def tap_face(page: Any, which: str) -> str:
    """Taps a face in the moving picture as it is drawn now; ``which``: JavaScript about ``face``. Its name."""
    page.wait_for_function(f"faceAf.picture.shown?.faces?.some((face) => {which})", timeout=WAIT_MS)
    place = page.evaluate(
        f"""() => {{
            const face = faceAf.picture.shown.faces.find((face) => {which});
            if (!face) return null;
            const rect = faceAf.picture.canvas.getBoundingClientRect(), scale = rect.width / faceAf.picture.frame.width;
            const [x, y, w, h] = face.box;
            return [rect.left + (x + w / 2) * scale, rect.top + (y + h / 2) * scale, face.name];
        }}"""
    )
    if place is None:
        return tap_face(page, which)
    page.touchscreen.tap(place[0], place[1])
    return str(place[2])


def rotated_photo(folder: Path) -> Path:
    """A sample photograph as a phone writes it: lying, with an EXIF orientation that says how to turn it."""
    source = next(path for path in sorted(samples.samples_dir().rglob("*.jpg")) if path.stat().st_size < 5e6)
    lying = cv2.rotate(cv2.imread(str(source)), cv2.ROTATE_90_COUNTERCLOCKWISE)
    _, jpeg = cv2.imencode(".jpg", lying)
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    data = jpeg.tobytes()
    path = folder / "phone.jpg"
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    return path


class Line(threading.Thread):
    """A slow line to the page: so many bytes a second in each direction, each piece late."""

    def __init__(self, port: int, bytes_a_second: float, late_s: float) -> None:
        super().__init__(daemon=True)
        self._port, self._rate, self._late = port, bytes_a_second, late_s
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, far = self._server.accept()[0], socket.create_connection(("127.0.0.1", self._port))
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(8192):
                time.sleep(self._late + len(data) / self._rate)
                other.sendall(data)
        for end in (one, other):
            end.close()

    def close(self) -> None:
        self._server.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    out = tmp_path_factory.mktemp("page")
    cast = prepare(out / "gallery", None, "", lambda line: None)
    params = out / "params.yaml"
    page = {"bind": "0.0.0.0", "mdns_name": ""}
    params.write_text(json.dumps({"/**/page": {"ros__parameters": page}}))
    port = free_port()
    command = ["ros2", "launch", "face_af", "sim.launch.py", f"target:={cast.target}", f"gallery:={cast.gallery}"]
    command += ["page:=true", f"page_port:={port}", f"params_file:={params}", "debug:=false"]
    command += [f"camera_port:={free_port()}"]
    (out / "data").mkdir()
    (out / "data" / "samples").symlink_to(samples.samples_dir().resolve())
    with started(command, out / "launch.log", FACE_AF_DATA_DIR=str(out / "data")) as run:
        assert run.until(lambda: re.search(r"PIN \d{6}", run.output()), 120), run.output()
        yield Site(run, port, cast.target, out / "data")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def cookies(site: Site, browser: Any) -> Any:
    """Of a device that was paired by hand, with one mistake on the way."""
    context = browser.new_context(ignore_https_errors=True, viewport=PHONE, locale="en-GB")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(site.address)
    page.get_by_label("PIN, six digits").fill(f"{(int(site.pin) + 1) % 1_000_000:06d}")
    page.get_by_role("button", name="Pair").click()
    playwright.expect(page.locator("#pair-error")).to_contain_text("not right", timeout=WAIT_MS)
    page.get_by_label("PIN, six digits").fill(site.pin)
    page.get_by_role("button", name="Pair").click()
    playwright.expect(page.locator("#people-strip")).to_contain_text(site.target, timeout=WAIT_MS)
    for tab in ("People", "Set-up", "Live"):
        page.get_by_role("button", name=tab).click()
    assert not [text for text in complaints if "Security Policy" in text]
    state = context.storage_state()
    (cookie,) = state["cookies"]
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict"
    context.close()
    return state


@pytest.fixture
def phone(site: Site, browser: Any, cookies: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page on another paired phone, and waits for its picture."""
    with contextlib.ExitStack() as stack:

        def open_page(**options: Any) -> Any:
            given = {"viewport": PHONE, "locale": "en-GB", "has_touch": True, "storage_state": cookies, **options}
            # only what the tests themselves evaluate needs more than the page's own policy allows
            context = browser.new_context(ignore_https_errors=True, bypass_csp=True, **given)
            stack.callback(context.close)
            context.set_default_timeout(WAIT_MS)
            page = context.new_page()
            page.problems = []
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.goto(site.address)
            live(page)
            return page

        yield open_page
