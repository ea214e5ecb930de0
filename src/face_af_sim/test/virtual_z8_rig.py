"""A virtual camera on one of the transports, and the driver's parts that talk to it."""

from __future__ import annotations

import time
from pathlib import Path

from face_af_sim.virtual_z8 import PtpIpServer, VirtualZ8
from face_af_sim.virtual_z8.recording import RecordingBody
from face_af_sim.virtual_z8.usb_backend import VirtualUsbBackend
from face_af_sim.virtual_z8.usb_device import VirtualUsbDevice
from nikon_mcn10_driver.link import CameraLink, LinkTiming
from nikon_mcn10_driver.profile_format import load_profile
from nikon_mcn10_driver.remote import PtpRemote
from nikon_mcn10_driver.transport import Transport
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport
from nikon_mcn10_driver.transport.usb import UsbTransport

PROFILE = load_profile("virtual_z8", Path(__file__).parents[3] / "config" / "remote")


class Rig:
    """A virtual camera on one of the transports."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.body = RecordingBody()
        self.camera = VirtualZ8(self.body)
        self.faults = self.camera.faults
        if kind == "usb":
            self.device = VirtualUsbDevice(self.camera)
            self.backend = VirtualUsbBackend(self.device)
        else:
            self.server = PtpIpServer(self.camera, port=0)
            self.server.start()

    def transport(self) -> Transport:
        return (
            UsbTransport(backend=self.backend) if self.kind == "usb" else PtpIpTransport("127.0.0.1", self.server.port)
        )

    def remote(self) -> PtpRemote:
        return PtpRemote(self.transport(), PROFILE)

    def link(self, **timing: float) -> CameraLink:
        link = CameraLink(
            self.remote,
            timing=LinkTiming(**{"max_command_age": 0.2, "reconnect_min": 0.01, "reconnect_max": 0.1, **timing}),
        )
        link.start()
        return link

    def unplug(self) -> None:
        if self.kind == "usb":
            self.device.unplug()
        else:
            self.server.stop()

    def plug(self) -> None:
        if self.kind == "usb":
            self.device.plug()
        else:
            self.server.start()

    def close(self) -> None:
        if self.kind == "ptpip":
            self.server.stop()
        else:
            assert self.backend.open_handles == 0, "a USB handle is left over"
            assert self.device.kernel_driver, "the kernel driver was not given back"


def until(condition, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
