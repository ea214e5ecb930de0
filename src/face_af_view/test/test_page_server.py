"""The web server's guards, uploads and files, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, web

from face_af_view.page.acts import ActError, Acts, Known
from face_af_view.page.hub import Hub
from face_af_view.page.pairing import Pairing
from face_af_view.page.people_api import PeopleApi, UploadError, shrunk
from face_af_view.page.replays import Replays
from face_af_view.page.server import WEB, Rules, Server, serve

FOLDER = Path("/nonexistent")


class Silent:
    """A graph in which nobody runs."""

    known = Known()

    async def ask(self, service: str, **fields: Any) -> Any:
        raise ActError(f"nobody offers {service}")

    async def set_parameter(self, node: str, name: str, value: str) -> str:
        raise ActError("nobody")

    async def record(self, on: bool) -> str:
        raise ActError("nobody")


def run(test: Callable[[ClientSession, str, Pairing, Hub], Awaitable[None]], paired: bool = True) -> None:
    async def main() -> None:
        pairing, hub = Pairing(None), Hub(lambda looking: None, lambda: 0, dict)
        hub.attach(asyncio.get_running_loop())
        rules = Rules(frozenset({"localhost"}), paired, False)
        people = PeopleApi(Silent(), lambda: 1)
        server = Server(
            rules,
            pairing,
            hub,
            Acts(Silent()),
            people,
            {},
            Replays(FOLDER, FOLDER, ""),
            lambda: 30.0,
            lambda: "http://x/",
        )
        runner = web.AppRunner(server.app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            await test(session, address, pairing, hub)
        await hub.close()
        await runner.cleanup()

    asyncio.run(main())


def test_nothing_but_the_pairing_page_without_a_cookie() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        for path in ("/", "/style.css", "/texts/de.json", "/api/session"):
            assert (await session.get(address + path)).status == 200, path
        for path in ("/api/people", "/api/face?name=anna", "/api/devices", "/api/parameters?node=steering", "/ws"):
            assert (await session.get(address + path)).status == 401, path
        for path in ("/api/photo", "/api/link", "/api/devices", "/api/leave"):
            assert (await session.post(address + path, data=b"{}")).status == 401, path
        for path in ("/../params.py", "/page.py", "/texts/../index.html", "/sw.js.map", "/.git"):
            assert (await session.get(address + path)).status == 404, path

    run(test)


def test_pairing_gives_a_cookie_that_scripts_cannot_read() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        answer = await session.post(address + "/api/pair", json={"pin": pairing.pin, "name": "phone"})
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        devices = await (await session.get(address + "/api/devices")).json()
        assert devices["pin"] == pairing.pin and [device["own"] for device in devices["devices"]] == [True]
        assert (await session.get(address + "/api/people")).status == 503  # nobody runs, but it may be asked

    run(test)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 9000, b'{"pin": {"a": 1}}'])
def test_what_is_no_pin_pairs_nobody(body: bytes) -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        assert (await session.post(address + "/api/pair", data=body)).status in (400, 403)

    run(test)


def test_pages_of_other_sites_give_no_orders_and_names_of_others_are_not_answered() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        for origin in ("http://evil.example", "null", "https://" + address.removeprefix("http://")):
            headers = {"Origin": origin}
            assert (await session.post(address + "/api/link", data=b"{}", headers=headers)).status == 403
            assert (await session.get(address + "/ws", headers=headers)).status == 403
        assert (await session.post(address + "/api/link", data=b"{}", headers={"Origin": address})).status == 200
        assert (await session.get(address + "/", headers={"Host": "evil.example"})).status == 403
        page = await session.get(address + "/")
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]

    run(test, paired=False)


def test_a_device_that_is_thrown_out_is_cut_off() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        await session.post(address + "/api/pair", json={"pin": pairing.pin, "name": "phone"})
        async with session.ws_connect(address + "/ws") as socket:
            assert json.loads((await socket.receive()).data)["t"] == "welcome"
            (device,) = pairing.devices
            await session.post(address + "/api/devices", json={"remove": device.id})
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                pass
            assert message.type is WSMsgType.CLOSE and message.data == 4001
        assert (await session.get(address + "/api/devices")).status == 401

    run(test)


def test_acts_are_answered_even_where_nobody_runs() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        async with session.ws_connect(address + "/ws") as socket:
            await socket.send_str('{"t":"act","id":4,"act":"pause"}')
            await socket.send_str('{"t":"act","id":5,"act":"undo","of":1}')
            await socket.send_str("nonsense")
            answers: dict[Any, Any] = {}
            while len(answers) < 3:
                said = json.loads((await socket.receive()).data)
                if said["t"] in ("answer", "error"):
                    answers[said.get("id")] = said
            assert answers[4]["message"] == "nobody offers pause" and not answers[5]["ok"]
            assert answers[None]["message"] == "the message is no JSON"

    run(test, paired=False)


def test_an_upload_is_bounded_and_must_be_an_image() -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        large = await session.post(address + "/api/photo?name=anna", data=b"x" * 1_500_000)
        assert large.status == 422 and "larger than 1 MB" in (await large.json())["message"]
        text = await session.post(address + "/api/photo?name=anna", data=b"<html>")
        assert text.status == 422 and "a web page" in (await text.json())["message"]

    run(test, paired=False)


def test_who_announces_much_and_sends_little_is_answered_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def test(session: ClientSession, address: str, pairing: Pairing, hub: Hub) -> None:
        host = address.removeprefix("http://")
        for path, length, body, status in (
            ("/api/photo?name=anna", 10**9, "x", "422"),
            ("/api/link", 10**9, "{}", "413"),
            ("/ws", 10**9, "", "413"),
            ("/api/photo?name=anna", 1000, "x", ""),  # and hangs up
            ("/api/link", 1000, "{", ""),
        ):
            reader, writer = await asyncio.open_connection(*host.split(":"))
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nContent-Length: {length}\r\n\r\n"
            writer.write((head + body).encode())
            if status:
                assert status in (await reader.readline()).decode()
            writer.close()
        assert (await session.get(address + "/api/session")).status == 200

    run(test, paired=False)
    assert [record.message for record in caplog.records if record.exc_info] == []


def test_photographs_are_made_smaller() -> None:
    image = np.zeros((3000, 4000, 3), np.uint8)
    assert shrunk(cv2.imencode(".jpg", image)[1].tobytes()).shape == (1440, 1920, 3)
    with pytest.raises(UploadError):
        shrunk(b"")


def test_a_small_file_that_claims_to_be_huge_is_not_decoded() -> None:
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    body = zlib.compress(bytes(1000))
    png += struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    with pytest.raises(UploadError, match="pixels"):
        shrunk(png)


def test_the_page_is_small_complete_and_asks_no_other_host() -> None:
    files = [path for path in WEB.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 200_000
    texts = {path.name: json.loads(path.read_text("utf-8")) for path in (WEB / "texts").iterdir()}
    assert len({frozenset(text) for text in texts.values()}) == 1, "every language has the same texts"
    for path in files:
        if path.suffix in (".js", ".css", ".html", ".webmanifest"):
            assert "://" not in path.read_text("utf-8").replace("ws'}://${location.host}", ""), path


def test_what_is_no_request_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        runner = await serve(SimpleNamespace(app=web.Application()), listener, None)  # type: ignore[arg-type]
        for wrong in (b"GET http://[ HTTP/1.1", b"\0\xff", b"GET / HTTP/x", b"GET / HTTP/1.1\r\nContent-Length: -1"):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(wrong + b"\r\n\r\n")
            # aiohttp 3.8 hangs up without a word on some of them
            assert await reader.readline() in (b"", b"HTTP/1.0 400 Bad Request\r\n", b"HTTP/1.1 400 Bad Request\r\n")
            writer.close()
        await runner.cleanup()

    asyncio.run(main())
    assert [record.message for record in caplog.records if record.exc_info] == []
