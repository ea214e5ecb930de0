"""What only USB has: descriptors, halts, class requests, packets, other programs."""

from __future__ import annotations

import errno
import time

import pytest

from face_af_sim.controls import LiveView
from face_af_sim.virtual_z8 import FaultKind, VirtualZ8
from face_af_sim.virtual_z8.recording import RecordingBody
from face_af_sim.virtual_z8.usb_backend import VirtualUsbBackend
from face_af_sim.virtual_z8.usb_device import VirtualUsbDevice
from nikon_mcn10_driver.ptp import Container, ContainerType, DeviceInfo
from nikon_mcn10_driver.ptp import OperationCode as Op
from nikon_mcn10_driver.ptp import ResponseCode as Rc
from nikon_mcn10_driver.session import PtpError, Session
from nikon_mcn10_driver.transport import DeviceGone, TransportError
from nikon_mcn10_driver.transport.usb import UsbTransport


class Bus:
    def __init__(self, **options: int) -> None:
        self.camera = VirtualZ8(RecordingBody())
        self.faults = self.camera.faults
        self.device = VirtualUsbDevice(self.camera, **options)
        self.backend = VirtualUsbBackend(self.device)

    def open(self) -> Session:
        session = Session(UsbTransport(backend=self.backend))
        session.open()
        return session


@pytest.fixture(params=[512, 1024], ids=["high_speed", "super_speed"])
def bus(request):
    bus = Bus(packet=request.param)
    yield bus
    assert bus.backend.open_handles == 0 and not bus.device.claimed and bus.device.kernel_driver


@pytest.fixture
def session(bus):
    session = bus.open()
    yield session
    session.close()


def test_the_kernel_driver_is_detached_while_we_are_there(bus):
    session = bus.open()
    assert not bus.device.kernel_driver and bus.device.claimed
    session.close()
    assert bus.device.kernel_driver and not bus.device.claimed


def test_another_program_is_blamed(bus):
    bus.device.held = True
    with pytest.raises(TransportError, match="another program holds the camera"):
        bus.open()


def test_a_failed_opening_leaves_nothing_behind(bus):
    bus.device.held = True
    transport = UsbTransport(backend=bus.backend)
    with pytest.raises(TransportError):
        transport.connect()
    transport.close()


def test_missing_permission_points_to_the_udev_rule(bus, monkeypatch):
    import usb.core

    def denied(dev):
        raise usb.core.USBError("Access denied", errno=errno.EACCES)

    monkeypatch.setattr(bus.backend, "open_device", denied)
    with pytest.raises(TransportError, match="udev"):
        bus.open()


def test_two_cameras_are_told_apart_by_their_serial_numbers():
    cameras = [VirtualZ8(RecordingBody(), serial=f"SIM{n}") for n in (1, 2)]
    backend = VirtualUsbBackend(*(VirtualUsbDevice(camera, address=n) for n, camera in enumerate(cameras)))

    def serial(wanted: str) -> str:
        session = Session(UsbTransport(wanted, backend))
        try:
            return session.open().serial
        finally:
            session.close()

    assert serial("SIM2") == "SIM2"
    with pytest.raises(DeviceGone, match="SIM1, SIM2"):
        serial("SIM3")
    with pytest.raises(TransportError, match="set the parameter serial"):
        serial("")
    assert backend.open_handles == 0


def test_no_camera_is_said_so():
    with pytest.raises(DeviceGone, match="no Nikon camera on USB"):
        UsbTransport(backend=VirtualUsbBackend()).connect()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FaultKind.COALESCE, 0),
        (FaultKind.FRAGMENT, 12),
        (FaultKind.FRAGMENT, 7),
        (FaultKind.ZERO_PACKET, 0),
        (FaultKind.STALL_OUT, 0),
        (FaultKind.STALL_IN, 0),
        (FaultKind.STALE_REPLY, 0),
    ],
)
def test_transfers_may_come_in_any_shape(bus, session, kind, value):
    bus.faults.inject(kind, value=value)
    assert DeviceInfo.decode(session.run(Op.GET_DEVICE_INFO).data).model == "Z 8"
    assert not bus.faults.pending
    assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK


def test_data_that_ends_on_a_packet_boundary(bus, session):
    """The camera ends it with a zero-length packet, which must not be taken for the response."""
    for extra in range(-1, 2):
        text = "x" * ((bus.device.packet - 12 - 1 - 2 + extra) // 2 % 120 + 1)
        bus.camera.set_property(0x5011, text)
        assert session.run(Op.GET_DEVICE_PROP_VALUE, 0x5011).code == Rc.OK
    size = 2 * bus.device.packet - 12
    handle = bus.camera.card.keep(LiveView(bytes(size), 640, 480), sdram=False)
    for _ in range(3):
        assert len(session.run(Op.GET_OBJECT, handle).data) == size


def test_data_out_that_ends_on_a_packet_boundary_is_followed_by_an_empty_packet(bus, session, monkeypatch):
    sizes = []
    write = bus.backend.bulk_write
    monkeypatch.setattr(bus.backend, "bulk_write", lambda h, e, i, d, t: sizes.append(len(d)) or write(h, e, i, d, t))
    session.transact(Op.SET_DEVICE_PROP_VALUE, 0x5011, data=bytes(bus.device.packet - 12))
    assert sizes == [16, bus.device.packet, 0]


def test_a_failing_operation_may_send_an_empty_data_phase_first(bus, session):
    bus.faults.inject(FaultKind.EMPTY_DATA)
    reply = session.transact(Op.GET_OBJECT, 12345)
    assert (reply.code, reply.data) == (Rc.INVALID_OBJECT_HANDLE, b"")


def test_a_transaction_that_the_camera_cancels(bus, session):
    bus.faults.inject(FaultKind.CANCEL, operation=Op.NIKON_DEVICE_READY)
    with pytest.raises(PtpError, match="TRANSACTION_CANCELLED"):
        session.run(Op.NIKON_DEVICE_READY)
    assert session.run(Op.NIKON_DEVICE_READY).code == Rc.OK


def test_stale_data_is_drained_before_the_first_operation(bus):
    for _ in range(3):
        bus.device.leave_stale(Container(ContainerType.DATA, 0x9428, 77, bytes(2000)).encode())
    session = bus.open()
    assert session.info.model == "Z 8"
    session.close()


def test_a_program_killed_in_the_middle_of_a_command(bus):
    bus.device.leave_half_command()
    session = bus.open()
    assert session.info.model == "Z 8"
    session.close()


def test_unplugging_ends_a_read_that_waits(bus, session):
    import threading

    bus.faults.inject(FaultKind.SILENCE)
    threading.Timer(0.1, bus.device.unplug).start()
    started = time.monotonic()
    with pytest.raises(DeviceGone):
        session.transact(Op.NIKON_DEVICE_READY, timeout=30)
    assert time.monotonic() - started < 1.0


def test_events_come_over_the_interrupt_endpoint(bus, session):
    bus.camera.emit(0x4002, 0x29190001)
    end = time.monotonic() + 5
    while not (events := session.channel_events()):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert (events[0].code, events[0].params) == (0x4002, (0x29190001,))
    bus.device.unplug()
    with pytest.raises(DeviceGone):
        while time.monotonic() < end:
            session.channel_events()
            time.sleep(0.01)
