"""Who may use the page: a PIN makes a device known, and a cookie then stands for it. No web framework here."""

from __future__ import annotations

import hashlib
import json
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from face_af_common.files import make_private, read_bytes, write_bytes

TRIES = 5
"""Wrong PINs a minute from one address."""
TRIES_OF_ALL = 20
"""Wrong PINs a minute from all addresses together: nobody guesses one of a million with many addresses either."""
MINUTE_S = 60.0
DEVICE_DAYS = 30
"""A device that was not used for so long must be paired again."""
MAX_DEVICES = 64
MAX_NAME = 60
_MOST_BYTES = 1_000_000
FULL, VIEW = "full", "view"


@dataclass(frozen=True)
class Device:
    """A paired device. ``token_hash``: SHA-256 of its cookie, which is kept nowhere; times in seconds since 1970."""

    id: str
    name: str
    role: str
    token_hash: str
    paired_at: float
    seen_at: float


class Limiter:
    """Counts wrong tries. Times are seconds of a clock that never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: deque[tuple[float, str]] = deque(maxlen=TRIES_OF_ALL)

    def wait_s(self, address: str) -> float:
        """Seconds until ``address`` may try again; 0 = now."""
        now = self._clock()
        recent = [(at, who) for at, who in self._wrong if now - at < MINUTE_S]
        own = [at for at, who in recent if who == address]
        waits = [0.0]
        if len(own) >= TRIES:
            waits.append(own[-TRIES] + MINUTE_S - now)
        if len(recent) >= TRIES_OF_ALL:
            waits.append(recent[0][0] + MINUTE_S - now)
        return max(waits)

    def failed(self, address: str) -> None:
        self._wrong.append((self._clock(), address))


class Pairing:
    """The PIN, links for viewers, and the devices that are known, kept in ``file`` (0600; None: in memory).

    Safe to use from several threads. ``clock`` counts seconds since 1970.
    """

    def __init__(self, file: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = file, clock
        self._lock = threading.RLock()
        self.pin = f"{secrets.randbelow(1_000_000):06d}"
        self._links: dict[str, float] = {}
        self._devices: dict[str, Device] = {}
        self.problem = ""
        """What went wrong with the file; empty = nothing."""
        self._read()

    def pair(self, pin: str, name: str) -> tuple[str, Device] | None:
        """A new device's cookie, and the device; None where the PIN is wrong."""
        if not secrets.compare_digest(pin.encode(), self.pin.encode()):
            return None
        return self._add(name, FULL)

    def view_link(self) -> str:
        """A secret that makes one device a viewer, who may act on nothing; good for a day."""
        with self._lock:
            now = self._clock()
            self._links = {key: end for key, end in self._links.items() if end > now}
            while len(self._links) >= MAX_DEVICES:
                del self._links[next(iter(self._links))]
            secret = secrets.token_urlsafe(16)
            self._links[_hashed(secret)] = now + 86400.0
            return secret

    def pair_viewer(self, secret: str, name: str) -> tuple[str, Device] | None:
        """Like :meth:`pair`, for a :meth:`view_link`, which serves once."""
        with self._lock:
            if self._links.pop(_hashed(secret), 0.0) < self._clock():
                return None
            return self._add(name, VIEW)

    def device(self, token: str) -> Device | None:
        """Whose cookie this is; None for nobody's."""
        with self._lock:
            known = self._devices.get(_hashed(token)) if token else None
            if known is None:
                return None
            now = self._clock()
            if now - known.seen_at > DEVICE_DAYS * 86400.0:
                self.throw_out(known.id)
                return None
            if now - known.seen_at > 3600.0:
                self._devices[known.token_hash] = known = replace(known, seen_at=now)
                self._write()
            return known

    @property
    def devices(self) -> list[Device]:
        """All that are paired, the newest first."""
        with self._lock:
            return sorted(self._devices.values(), key=lambda device: -device.paired_at)

    def throw_out(self, device_id: str) -> bool:
        """Forgets a device; False where there is none."""
        with self._lock:
            kept = {key: device for key, device in self._devices.items() if device.id != device_id}
            gone = len(kept) < len(self._devices)
            self._devices = kept
            if gone:
                self._write()
            return gone

    def _add(self, name: str, role: str) -> tuple[str, Device]:
        token, now = secrets.token_urlsafe(32), self._clock()
        shown = "".join(c for c in name if c.isprintable())[:MAX_NAME].strip() or "?"
        device = Device(secrets.token_hex(4), shown, role, _hashed(token), now, now)
        with self._lock:
            while len(self._devices) >= MAX_DEVICES:
                oldest = min(self._devices.values(), key=lambda known: known.seen_at)
                del self._devices[oldest.token_hash]
            self._devices[device.token_hash] = device
            self._write()
        return token, device

    def _read(self) -> None:
        if self._file is None or not self._file.exists():
            return
        try:
            entries = json.loads(read_bytes(self._file, _MOST_BYTES))
            devices = [Device(**{**entry, "name": str(entry["name"])}) for entry in entries]
            if not all(_is_device(device) for device in devices):
                raise ValueError("no list of devices")
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            # pairing again is little trouble; a device that nobody has paired would be much
            self.problem = f"{self._file} cannot be used ({error}): devices must be paired again"
            return
        self._devices = {device.token_hash: device for device in devices[:MAX_DEVICES]}

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            make_private(self._file.parent)
            entries = [asdict(device) for device in self._devices.values()]
            write_bytes(self._file, json.dumps(entries, indent=1).encode(), private=True)
            self.problem = ""
        except OSError as error:
            self.problem = f"{error}; devices are forgotten at the end"


def _is_device(device: Device) -> bool:
    numbers = (device.paired_at, device.seen_at)
    known = device.role in (FULL, VIEW) and isinstance(device.token_hash, str) and isinstance(device.id, str)
    return known and all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
