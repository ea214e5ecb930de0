"""The page on the network: its socket, certificate, names and pairing, served in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..params import PageParams
from . import addresses, certificate
from .acts import Acts
from .hub import Hub
from .origins import LOOPBACK, is_loopback
from .pairing import Pairing
from .people_api import PeopleApi
from .replays import Replays
from .server import Rules, Server, cookie_name, serve

_END_S = 2.0
_START_S = 2.0


class Site:
    """``folder``: where certificate and devices are kept; ``say`` tells of the address and the PIN, line by line."""

    def __init__(
        self,
        params: PageParams,
        folder: Path,
        hub: Hub,
        acts: Acts,
        people: PeopleApi,
        details: dict[str, Callable[[dict[str, str]], Awaitable[Any]]],
        replays: Replays,
        max_rate: Callable[[], float],
        say: Callable[[str], object],
    ) -> None:
        self._params, self._folder, self._hub, self._say = params, folder, hub, say
        self._open = is_loopback(params.bind)
        self._tls = params.tls == "on" or (params.tls == "auto" and not self._open)
        self.pairing = Pairing(None if self._open else folder / "devices.json")
        self._make: Callable[[Rules], Server] = lambda rules: Server(
            rules, self.pairing, hub, acts, people, details, replays, max_rate, lambda: self.address
        )
        self.address = ""
        """Where the page is; empty = nowhere yet."""
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> str:
        """Starts serving. Returns what is wrong, in one line; empty = it serves."""
        try:
            listener = self._listener()
        except OSError as error:
            what = "is used by another program" if error.errno == errno.EADDRINUSE else f"({error.strerror or error})"
            return f"the page cannot be served on {self._params.bind} port {self._params.port}: {what}"
        hosts = [] if self._open else addresses.own_addresses()
        try:
            secure = self._certificate(hosts)
        except certificate.CertificateError as error:
            listener.close()
            return f"the page cannot be served: {error}"
        port = listener.getsockname()[1]
        wildcard = self._params.bind in ("0.0.0.0", "::", "")
        host = self._params.bind if not wildcard else (hosts or ["localhost"])[0]
        self.address = addresses.url("https" if self._tls else "http", host, port)
        rules = Rules(self._names(hosts), not self._open, self._tls, cookie_name(port))
        started = threading.Event()

        def ready() -> None:
            self._tell(hosts, port)
            started.set()

        self._thread = threading.Thread(
            target=self._run, args=(rules, listener, secure, ready), name="page_web", daemon=True
        )
        self._thread.start()
        started.wait(_START_S)
        return self.pairing.problem

    def close(self) -> None:
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and self._thread is not None:
            try:
                loop.call_soon_threadsafe(stop.set)
            except RuntimeError:
                return
            self._thread.join(_END_S)

    def _listener(self) -> socket.socket:
        bind, port = self._params.bind or "0.0.0.0", self._params.port
        family, _, _, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
        return listener

    def _names(self, hosts: list[str]) -> frozenset[str]:
        own = socket.gethostname().lower()
        name = self._params.mdns_name
        mdns = [f"{name}.local"] if name else []
        return frozenset([*LOOPBACK, self._params.bind, own, f"{own}.local", *mdns, *hosts])

    def _certificate(self, hosts: list[str]) -> ssl.SSLContext | None:
        if not self._tls:
            return None
        names = [name for name in self._names(hosts) if name not in ("", "0.0.0.0", "::")]
        return certificate.context(self._params.certificate, self._params.key, self._folder, names)

    def _tell(self, hosts: list[str], port: int) -> None:
        if self._open:
            self._say(f"the page: {self.address}")
            return
        scheme = "https" if self._tls else "http"
        others = [addresses.url(scheme, host, port) for host in hosts[1:]]
        if self._params.mdns_name:
            others.append(addresses.url(scheme, f"{self._params.mdns_name}.local", port))
        self._say(f"the page: {self.address}" + (f" (also {' '.join(others)})" if others else ""))
        code = addresses.qr_code(f"{self.address}#pin={self.pairing.pin}")
        self._say(f"PIN {self.pairing.pin}, or this code for a phone's camera:" + (f"\n{code}" if code else ""))

    def _run(
        self, rules: Rules, listener: socket.socket, secure: ssl.SSLContext | None, ready: Callable[[], None]
    ) -> None:
        asyncio.run(self._serve(rules, listener, secure, ready))

    async def _serve(
        self, rules: Rules, listener: socket.socket, secure: ssl.SSLContext | None, ready: Callable[[], None]
    ) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._hub.attach(self._loop)
        runner = await serve(self._make(rules), listener, secure)
        ready()
        ticker = asyncio.ensure_future(self._hub.keep_time())
        silence: Callable[[], None] | None = None
        if not self._open and self._params.mdns_name:
            try:
                hosts = addresses.own_addresses()
                port = listener.getsockname()[1]
                silence = await self._loop.run_in_executor(
                    None, addresses.announce, self._params.mdns_name, port, hosts
                )
            except OSError as error:
                self._say(f"{self._params.mdns_name}.local cannot be announced ({error.strerror or error})")
        await self._stop.wait()
        ticker.cancel()
        await self._hub.close()
        if silence is not None:
            await self._loop.run_in_executor(None, silence)
        await runner.cleanup()
