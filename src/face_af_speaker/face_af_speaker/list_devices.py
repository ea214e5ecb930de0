"""``ros2 run face_af_speaker list_devices``: the microphones and line-ins of this machine."""

from __future__ import annotations

from .sound_source import devices


def main() -> int:
    found = devices()
    for name, text in found:
        print(f"{name:14} {text}")
    if not found:
        print("ALSA knows no device that records on this machine (a sound server's may still be there: default)")
    return 0 if found else 1
