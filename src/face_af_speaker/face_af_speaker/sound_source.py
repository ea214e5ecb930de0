"""Sound as it comes: from an ALSA device, or from a file at its own pace; lost devices are found again."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .features import RATE, Sound
from .sound_files import SUFFIXES, Piece, Resampler, SoundError, blocks

PAUSES_S = (1.0, 10.0)
"""Between tries to open a device: the first one, doubled up to the second."""
_LATE_S = 0.5
"""A file whose listener is later than this goes on from now on, instead of rushing."""

_HINTS = {
    errno.EBUSY: "in use by another program",
    errno.ENOENT: "there is no such device; `ros2 run face_af_speaker list_devices` shows them",
    errno.ENODEV: "there is no such device, or it was unplugged",
    errno.EACCES: "may not be opened; add yourself to the group audio",
    errno.EIO: "was unplugged, or there is no such device; `ros2 run face_af_speaker list_devices` shows them",
}


class SoundSource:
    """Calls ``heard(block, clock)`` in a thread of its own; ``clock`` is what ``now`` said when the block had come.

    ``say`` gets each new problem in one line, and an empty text when sound comes (again).
    """

    def __init__(
        self,
        source: str,
        channel: int,
        heard: Callable[[Sound, int], None],
        now: Callable[[], int],
        say: Callable[[str], None],
        *,
        loop: bool = False,
    ) -> None:
        self._source, self._channel, self._loop = source, channel, loop
        self._heard, self._now, self._say = heard, now, say
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self.ended = False
        """A file has come to its end."""

    @property
    def is_file(self) -> bool:
        return Path(self._source).expanduser().is_file()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The thread ends after the block that it waits for; a device that gives none is left to the process' end."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _run(self) -> None:
        pause = PAUSES_S[0]
        while not self._closing.is_set():
            try:
                if self.is_file:
                    self._play()
                    if not self._loop:
                        self.ended = True
                        return
                    continue
                for block in device_blocks(self._source, self._channel):
                    if self._closing.is_set():
                        return
                    self._say("")
                    pause = PAUSES_S[0]
                    self._heard(block, self._now())
                self._say(f"{self._source}: no more sound comes; trying again")
            except SoundError as error:
                self._say(str(error))
            self._closing.wait(pause)
            pause = min(2 * pause, PAUSES_S[1])

    def _play(self) -> None:
        begun, heard = time.monotonic(), 0
        for block in blocks(Piece(Path(self._source).expanduser()), self._channel):
            heard += len(block)
            wait = begun + heard / RATE - time.monotonic()
            if self._closing.wait(max(0.0, wait)):
                return
            if wait < -_LATE_S:
                begun = time.monotonic() - heard / RATE
            self._say("")
            self._heard(block, self._now())


def device_blocks(device: str, channel: int) -> Iterator[Sound]:
    """Blocks of a device's sound at 16 kHz, whatever its own rate and channels. Raises :class:`SoundError`."""
    import av
    from av.error import FFmpegError

    options = {} if channel else _channels(1)
    _find_alsa()
    _quieten_alsa()
    if problem := _missing(device):
        raise SoundError(f"{device}: {problem}")
    try:
        container = _opened(av, device, {"sample_rate": str(RATE), **options})
    except (FFmpegError, OSError, ValueError) as error:
        raise SoundError(f"{device}: {_why(error)}") from error
    with container:
        resampler: Resampler | None = None
        try:
            for frame in container.decode(container.streams.audio[0]):
                resampler = resampler or Resampler(len(frame.layout.channels), channel, device)
                yield from resampler.resampled(frame)
        except FFmpegError as error:
            raise SoundError(f"{device}: {_why(error)}") from error


def _find_alsa() -> None:
    """PyAV's wheel brings an ALSA of its own, which does not find the system's configuration and plug-ins."""
    places = {
        "ALSA_CONFIG_PATH": ["/usr/share/alsa/alsa.conf"],
        "ALSA_PLUGIN_DIR": [str(path) for path in Path("/usr/lib").glob("*-linux-gnu*/alsa-lib")],
    }
    for name, found in places.items():
        for place in found:
            if Path(place).exists():
                os.environ.setdefault(name, place)


_ErrorHandler = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p, ctypes.c_int] * 2, ctypes.c_void_p)
_SILENT = _ErrorHandler(lambda *_: None)


def _quieten_alsa() -> None:
    """ALSA prints lines of its own for each device that it cannot open; ours says what to do."""
    with contextlib.suppress(OSError, AttributeError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        for library in set(re.findall(r"/\S*/libasound[^/\s]*\.so\S*", maps)):
            ctypes.CDLL(library).snd_lib_error_set_handler(_SILENT)


def _missing(device: str) -> str:
    """Why a device cannot be there, without asking ALSA, which prints lines of its own; empty where it may be."""
    if "/" in device or Path(device).suffix.lower() in SUFFIXES:
        return "there is no such file"
    hardware = re.fullmatch(r"(?:plug)?hw:(\d+)(?:,(\d+))?", device)
    if hardware is None:
        return ""
    wanted = f"plughw:{int(hardware[1])},{int(hardware[2] or 0)}"
    return "" if wanted in dict(devices()) else _HINTS[errno.ENOENT]


def _opened(av: Any, device: str, options: dict[str, str]) -> Any:
    """Many devices have one rate and two channels only; then what they have is taken."""
    tries = [options, {**_channels(2), "sample_rate": "48000"}, {"sample_rate": "44100"}, {}]
    last: Exception | None = None
    for given in tries:
        try:
            return av.open(device, format="alsa", options=given)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) in (errno.EBUSY, errno.ENOENT, errno.ENODEV, errno.EACCES):
                raise
            last = error
    assert last is not None
    raise last


def _channels(number: int) -> dict[str, str]:
    """FFmpeg's options for so many channels (1 or 2): the one up to version 8, and the one that 9 knows."""
    return {"channels": str(number), "ch_layout": ("mono", "stereo")[number - 1]}


def _why(error: Exception) -> str:
    number = getattr(error, "errno", 0) or 0
    return _HINTS.get(number) or str(getattr(error, "strerror", None) or error).splitlines()[0]


def devices(listing: Path = Path("/proc/asound/pcm")) -> list[tuple[str, str]]:
    """ALSA's devices that record: what to write as ``source``, and what each calls itself."""
    try:
        lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        numbers, *texts = [part.strip() for part in line.split(":")]
        card, _, device = numbers.partition("-")
        if any(text.startswith("capture") for text in texts) and card.isdigit() and device.isdigit():
            found.append((f"plughw:{int(card)},{int(device)}", texts[0] if texts else ""))
    return found
