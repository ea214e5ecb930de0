"""The web server: static files for everybody, everything else for those who may, on addresses that are ours."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from . import protocol
from .acts import ActError, Acts
from .hub import Hub
from .origins import host_allowed, origin_allowed
from .pairing import FULL, VIEW, Device, Limiter, Pairing
from .people_api import IDLE_S, PHOTO, PeopleApi
from .replays import Replays
from .viewer import Viewer

WEB = Path(__file__).resolve().parents[1] / "web"
_COOKIE_DAYS = 30
_MAX_BODY = 16_384
_HEARTBEAT_S = 10.0
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}


def cookie_name(port: int) -> str:
    return f"face_af_{port}"


@dataclass(frozen=True)
class Rules:
    """Who may reach the page. ``names``: host names that are ours; ``paired``: devices must be paired."""

    names: frozenset[str]
    paired: bool
    tls: bool
    cookie: str = "face_af"


class Server:
    """Routes and their guards. ``details`` answers ``GET /api/KIND`` for kinds of its own (recipes, parameters …)."""

    def __init__(
        self,
        rules: Rules,
        pairing: Pairing,
        hub: Hub,
        acts: Acts,
        people: PeopleApi,
        details: dict[str, Callable[[dict[str, str]], Awaitable[Any]]],
        replays: Replays,
        max_rate: Callable[[], float],
        address: Callable[[], str],
    ) -> None:
        self._rules, self._pairing, self._hub, self._acts = rules, pairing, hub, acts
        self._details, self._max_rate, self._address = details, max_rate, address
        self._replays = replays
        self._limiter = Limiter()
        self.app = web.Application(middlewares=[self._guard], client_max_size=_MAX_BODY)
        self.app.add_routes(
            [
                web.get("/", self._index),
                web.get("/{file:[a-z_]+\\.(?:js|css|svg|png|webmanifest)}", self._static),
                web.get("/texts/{file:[a-z]{2}\\.json}", self._text),
                web.get("/ws", self._socket),
                web.get("/api/session", self._session),
                web.post("/api/pair", self._pair),
                web.post("/api/leave", self._leave),
                web.get("/api/devices", self._devices),
                web.post("/api/devices", self._throw_out),
                web.post("/api/link", self._link),
                web.get("/api/people", people.list),
                web.get("/api/face", people.image),
                web.post(PHOTO, people.photo),
                web.get("/api/replay", self._replay),
                web.post("/api/replay", self._set_replay),
                web.get("/api/{kind:[a-z]+}", self._detail),
            ]
        )

    # -- guards ------------------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Raises nothing: what is refused is a short text."""
        refused = self._refusal(request)
        if refused is not None:
            response: web.StreamResponse = refused
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                response = web.Response(status=error.status, text=error.reason)
            except ActError as error:
                response = _failed(503, str(error))
            except ConnectionResetError:
                response = _failed(400, "hung up")  # which nobody reads
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.path != PHOTO and (request.content_length or 0) > _MAX_BODY:
            return _failed(413, f"longer than {_MAX_BODY} bytes")
        host = request.headers.get("Host", "")
        if not host_allowed(host, self._rules.names):
            return _failed(403, "this name is not one of this machine's")
        scheme = "https" if self._rules.tls else "http"
        order = request.method not in ("GET", "HEAD") or request.path == "/ws"
        if order and not origin_allowed(request.headers.get("Origin"), host, scheme):
            return _failed(403, "orders are taken from the page itself only")
        role = self._who(request)[1]
        if not request.path.startswith(("/api/", "/ws")) or request.path in ("/api/session", "/api/pair"):
            return None
        if not role:
            return _failed(401, "this device is not paired")
        if request.path != "/ws" and request.path != "/api/leave" and role != FULL:
            return _failed(403, "this device may only look")
        return None

    def _who(self, request: web.Request) -> tuple[Device | None, str]:
        device = self._pairing.device(request.cookies.get(self._rules.cookie, ""))
        if device is not None:
            return device, device.role
        return None, "" if self._rules.paired else FULL

    # -- files -------------------------------------------------------------------------------------------------------

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _file(WEB / "index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _file(WEB / request.match_info["file"])

    async def _text(self, request: web.Request) -> web.StreamResponse:
        return _file(WEB / "texts" / request.match_info["file"])

    # -- devices -----------------------------------------------------------------------------------------------------

    async def _session(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"role": self._who(request)[1], "pairing": self._rules.paired, "version": protocol.VERSION}
        )

    async def _pair(self, request: web.Request) -> web.Response:
        body = await _body(request)
        pin, link, name = (str(body.get(key, ""))[:100] for key in ("pin", "link", "name"))
        address = request.remote or ""
        wait = self._limiter.wait_s(address)
        if wait > 0:
            return _failed(429, "too many wrong PINs", wait_s=round(wait))
        paired = self._pairing.pair_viewer(link, name) if link else self._pairing.pair(pin, name)
        if paired is None:
            self._limiter.failed(address)
            return _failed(403, "wrong")
        token, device = paired
        response = web.json_response({"role": device.role})
        self._set_cookie(response, self._rules.cookie, token)
        self._hub.tell_all(protocol.text("paired", name=device.name))
        return response

    def _set_cookie(self, response: web.Response, name: str, token: str) -> None:
        response.set_cookie(
            name,
            token,
            max_age=_COOKIE_DAYS * 86400,
            httponly=True,
            secure=self._rules.tls,
            samesite="Strict",
            path="/",
        )

    async def _leave(self, request: web.Request) -> web.Response:
        device, _ = self._who(request)
        if device is not None:
            self._pairing.throw_out(device.id)
            await self._hub.close_device(device.id)
        response = web.json_response({})
        response.del_cookie(self._rules.cookie)
        return response

    async def _devices(self, request: web.Request) -> web.Response:
        device, _ = self._who(request)
        own = device.id if device is not None else ""
        devices = [
            {"id": d.id, "name": d.name, "role": d.role, "paired": d.paired_at, "seen": d.seen_at, "own": d.id == own}
            for d in self._pairing.devices
        ]
        pin = self._pairing.pin if self._rules.paired else ""
        return web.json_response({"devices": devices, "pin": pin, "address": self._address()})

    async def _throw_out(self, request: web.Request) -> web.Response:
        device_id = str((await _body(request)).get("remove", ""))
        if not self._pairing.throw_out(device_id):
            return _failed(404, "there is no such device")
        await self._hub.close_device(device_id)
        return web.json_response({})

    async def _link(self, _: web.Request) -> web.Response:
        return web.json_response({"url": f"{self._address()}#{VIEW}={self._pairing.view_link()}"})

    # -- recordings --------------------------------------------------------------------------------------------------

    async def _replay(self, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        playing = await loop.run_in_executor(None, lambda: self._replays.status)
        response = web.json_response({"recordings": self._replays.list(), "playing": playing})
        token = request.cookies.get(self._rules.cookie, "")
        if playing and token:  # the device is known there too; cookies go by name, not by port
            self._set_cookie(response, cookie_name(playing["port"]), token)
        return response

    async def _set_replay(self, request: web.Request) -> web.Response:
        name = str((await _body(request)).get("name", ""))
        change = (lambda: self._replays.start(name)) if name else self._replays.stop
        await asyncio.get_running_loop().run_in_executor(None, change)
        return web.json_response({})

    # -- the graph ---------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=protocol.MAX_TEXT * 4, compress=False)
        await socket.prepare(request)
        device, role = self._who(request)
        who = (device.id, device.name) if device is not None else ("", "")
        viewer = Viewer(socket, self._hub, self._perform, self._max_rate, role, *who)
        viewer.tell(protocol.text("welcome", version=protocol.VERSION, role=viewer.role))
        await viewer.run()
        return socket

    async def _perform(self, act: protocol.Act, viewer: Viewer) -> str:
        answer = await self._acts.perform(act)
        said = json.loads(answer)
        if said["ok"]:
            self._hub.tell_all(protocol.text("done", by=viewer.name, act=act.name, message=said["message"]), viewer)
        return answer

    async def _detail(self, request: web.Request) -> web.Response:
        kind = self._details.get(request.match_info["kind"])
        if kind is None:
            return _failed(404, "there is no such thing")
        return web.json_response(await kind(dict(request.query)))


async def _body(request: web.Request) -> dict[str, Any]:
    """A small JSON object. Raises ``web.HTTPBadRequest``."""
    try:
        body = json.loads(await asyncio.wait_for(request.read(), IDLE_S))
    except (ValueError, RecursionError):
        body = None
    except asyncio.TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="a JSON object is needed")
    return body


def _failed(status: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"message": message, **more}, status=status)


def _file(path: Path) -> web.StreamResponse:
    if not path.is_file():
        return _failed(404, "there is no such file")
    response = web.FileResponse(path)
    if path.suffix in _TYPES:
        response.content_type = _TYPES[path.suffix]
    return response


class _NotOfStrangers(logging.Filter):
    """What another person'sends wrongly is answered with 400; it is no fault of ours that needs a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_FILTER = _NotOfStrangers()


async def serve(server: Server, sock: Any, ssl_context: Any) -> web.AppRunner:
    """Starts serving on a bound socket; the runner's ``cleanup`` ends it."""
    logging.getLogger("aiohttp.server").addFilter(_FILTER)
    # who announces more than is read is not waited for
    runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=1.0, lingering_time=1.0)
    await runner.setup()
    await web.SockSite(runner, sock, ssl_context=ssl_context, backlog=32).start()
    return runner
