"""Which programs hold a USB device open, from ``/proc``."""

from __future__ import annotations

import os
from pathlib import Path

_HINTS = {
    "gvfs": "systemctl --user stop gvfs-gphoto2-volume-monitor, or unmount the camera in the file manager",
    "gphoto2": "quit gphoto2",
    "darktable": "quit darktable",
    "digikam": "quit digiKam",
    "entangle": "quit Entangle",
}


def holders(bus: int, address: int, proc: Path = Path("/proc")) -> list[str]:
    """``name (pid n)`` of every program that has the device file open, as far as we may see them."""
    wanted = f"/dev/bus/usb/{bus:03d}/{address:03d}"
    found = []
    for process in proc.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            if any(str(fd.readlink()) == wanted for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
        except OSError:
            # it has ended meanwhile, or belongs to another user
            continue
    return sorted(found)


def advice(names: list[str]) -> str:
    """One sentence on who holds the camera and what to do about it."""
    if not names:
        return "another program holds the camera (often gvfs: " + _HINTS["gvfs"] + ")"
    hint = next((text for key, text in _HINTS.items() for name in names if name.lower().startswith(key)), "end it")
    return f"{', '.join(names)} holds the camera: {hint}"
