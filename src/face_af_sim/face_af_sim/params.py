"""Parameters of the ``stage`` node."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.images import JPEG_QUALITY
from face_af_common.params import group, param

from .body import BodyParams
from .simulation import HDMI


@dataclass(frozen=True)
class StageNodeParams:
    """The simulated stage and its camera; all are read once, at the start."""

    seed: int = param(
        0, "seed of everything random; the same seed gives the same show", low=0, high=2_147_483_647, read_only=True
    )
    rate: float = param(30.0, "frames a second", unit="Hz", low=1.0, high=240.0, read_only=True)
    width: int = param(1920, "width of a frame", unit="px", low=320, high=7680, read_only=True)
    height: int = param(1080, "height of a frame", unit="px", low=240, high=4320, read_only=True)
    duration: float = param(
        0.0, "length of the show, then the node ends; 0 = for ever", unit="s", low=0.0, high=1e6, read_only=True
    )
    people: str = param(
        "", "folder with one folder of photographs for each person; empty = the sample photographs", read_only=True
    )
    target: str = param("", "the person to be kept in focus; empty = the first", read_only=True)
    clock: str = param(
        "realtime",
        "realtime = frames at the rate; lockstep = the next frame when steering has answered the last one, with /clock",
        choices=("realtime", "lockstep"),
        read_only=True,
    )
    observed: bool = param(
        False,
        "lockstep: the next frame also waits until an observer has confirmed the last one on sim/seen",
        read_only=True,
    )
    subscribers: int = param(
        2,
        "subscribers of image_raw to wait for before the first frame; 0 = begin at once",
        low=0,
        high=100,
        read_only=True,
    )
    wait_s: float = param(
        60.0,
        "longest wait for them and for their first answer in real time (lockstep waits on)",
        unit="s",
        low=0.0,
        high=3600.0,
        read_only=True,
    )
    ptpip_port: int = param(
        15740,
        "TCP port of the virtual camera on this machine; 0 = any free one, -1 = no camera",
        low=-1,
        high=65535,
        read_only=True,
    )
    grip: str = param(
        "", "remote profile whose grip the virtual camera hears; empty = the simulator's own codes", read_only=True
    )
    hdmi: str = param(
        "clean",
        "what the way over cable and capture card does to the frames: clean: nothing; 422: half the colour;"
        " mjpeg: compression; poor: strong compression, blur and noise",
        choices=tuple(HDMI),
        read_only=True,
    )
    frame_id: str = param("camera", "frame_id of the frames", read_only=True)
    jpeg_quality: int = param(JPEG_QUALITY, "quality of image_raw/compressed", low=10, high=100, read_only=True)
    camera: BodyParams = group(BodyParams)
