"""Where the page is found: its addresses, as text and QR code, and its name on the local network (mDNS)."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable

from .origins import is_loopback


def own_addresses() -> list[str]:
    """Addresses of this machine that others may reach it by, best first; nothing is sent to find out."""
    found: list[str] = []
    # the address that a packet to anywhere (TEST-NET-1, RFC 5737) would carry
    for family, anywhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((anywhere, 9))
                found.append(probe.getsockname()[0])
        except OSError:
            continue
    try:
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)]
    except OSError:
        pass
    return [a for a in dict.fromkeys(found) if not is_loopback(a) and not a.startswith("fe80")]


def url(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}/"


def qr_code(text: str) -> str:
    """``text`` as a QR code of block characters for a dark terminal; empty where no library makes one."""
    try:
        import segno
    except ImportError:
        return ""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")


def announce(name: str, port: int, addresses: list[str]) -> Callable[[], None]:
    """Makes ``name.local`` known on the network until the returned function is called; does nothing without zeroconf.

    Raises ``OSError`` where the network does not allow it.
    """
    try:
        from zeroconf import NonUniqueNameException, ServiceInfo, Zeroconf
    except ImportError:
        return lambda: None
    zeroconf = Zeroconf(interfaces=[a for a in addresses if ":" not in a])
    info = ServiceInfo(
        "_https._tcp.local.",
        f"face_af on {name}._https._tcp.local.",
        port=port,
        parsed_addresses=addresses,
        server=f"{name}.local.",
        properties={"path": "/"},
    )
    try:
        zeroconf.register_service(info, allow_name_change=True)
    except NonUniqueNameException:
        pass  # another one of that name is there already
    return zeroconf.close
