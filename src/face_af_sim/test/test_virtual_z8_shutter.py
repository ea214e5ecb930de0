"""The shutter through the driver's link, against the virtual Z8."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import FaultKind, PtpIpServer, VirtualZ8, remote_codes
from face_af_sim.virtual_z8.recording import RecordingBody
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.profile import Profile, Step
from nikon_mcn10_driver.profile_format import format_profile, load_profile, parse_profile
from nikon_mcn10_driver.remote import DryRunRemote, PtpRemote
from nikon_mcn10_driver.shutter import Burst
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport

PROFILE = load_profile("virtual_z8", Path(__file__).parents[3] / "config" / "remote")
TIMING = LinkTiming(max_command_age=60.0, reconnect_min=0.01, reconnect_max=0.05)


def until(condition, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


class Rig:
    """A virtual camera on loopback and a link to it."""

    def __init__(self) -> None:
        self.body = RecordingBody()
        self.camera = VirtualZ8(self.body)
        self.server = PtpIpServer(self.camera, port=0)
        self.server.start()
        self.links: list[CameraLink] = []

    def transport(self) -> PtpIpTransport:
        return PtpIpTransport("127.0.0.1", self.server.port)

    def remote(self, profile: Profile = PROFILE) -> PtpRemote:
        return PtpRemote(self.transport(), profile)

    def link(self, profile: Profile = PROFILE) -> CameraLink:
        link = CameraLink(lambda: self.remote(profile), TIMING)
        self.links.append(link)
        link.start()
        until(lambda: link.status.connected)
        return link

    def close(self) -> None:
        for link in self.links:
            link.close()
        self.server.stop()


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.close()


def shoot(link: CameraLink, count: int = 1, gap: float = 0.1) -> Burst:
    burst = Burst(count, gap)
    link.release_shutter(burst)
    return burst


def done(burst: Burst) -> str:
    assert burst.done.wait(15)
    assert burst.outcome is not None
    return burst.outcome


def slow(hold: float = 0.0, wait: float = 0.0) -> Profile:
    """The same grip with a shutter that is held for long, or that is pressed half and then wholly."""
    assert PROFILE.shutter is not None
    half = Step(None, wait=wait)
    return replace(PROFILE, hold=hold, shutter=replace(PROFILE.shutter, press=(half, *PROFILE.shutter.press)))


def test_one_image_and_a_burst_are_counted(rig):
    link = rig.link()
    assert done(shoot(link)) == ""
    assert rig.camera.images == 1 and not rig.camera.shutter_down
    started = time.monotonic()
    assert done(shoot(link, 4, 0.1)) == ""
    assert time.monotonic() - started >= 0.3, "the gap lies between the images"
    assert (rig.camera.images, link.status.images, link.status.sent) == (5, 5, 0)
    assert len(rig.camera.card.handles) == 5


@pytest.mark.parametrize(
    ("count", "gap", "reason"),
    [(0, 0.5, "1 to 10"), (11, 0.5, "1 to 10"), (2, 0.01, "0.1 to 10"), (2, float("nan"), "s")],
)
def test_a_burst_is_bounded(rig, count, gap, reason):
    assert reason in done(shoot(rig.link(), count, gap))
    assert rig.camera.images == 0


def test_a_press_of_steering_is_sent_while_the_key_is_held(rig):
    """It neither waits for the burst nor takes its place."""
    link = rig.link(slow(wait=5.0))
    burst = shoot(link)
    command = Command(Action(ActionKind.LEFT), time.time_ns(), 1)
    link.submit(command)
    assert command.done.wait(15) and command.outcome == ""
    assert [kind for _, kind in rig.body.presses] == [ActionKind.LEFT]
    assert burst.outcome is None and rig.camera.images == 0, "the press came first"


def test_a_waiting_press_comes_before_a_waiting_image():
    order, gate = [], threading.Event()

    class Slow(DryRunRemote):
        def perform(self, action, budget):
            gate.wait(15)
            order.append(action.kind)
            return time.monotonic()

        def shutter(self):
            order.append("image")
            yield 0.0

    link = CameraLink(Slow, TIMING)
    link.start()
    until(lambda: link.status.connected)
    first, second = (Command(Action(kind), time.time_ns()) for kind in (ActionKind.LEFT, ActionKind.RIGHT))
    link.submit(first)
    until(lambda: link.waiting is None)
    burst = shoot(link)
    link.submit(second)
    gate.set()
    assert done(burst) == "" and second.done.wait(15)
    assert order == [ActionKind.LEFT, ActionKind.RIGHT, "image"]
    link.close()


def test_a_second_burst_is_refused_while_one_lasts(rig):
    link = rig.link()
    first = shoot(link, 2, 10.0)
    until(lambda: first.taken == 1)
    assert done(shoot(link)) == "a burst is under way: 1 of 2 images taken"
    link.close()
    assert "closed or lost" in done(first)


def test_the_key_goes_up_when_the_driver_ends_in_the_middle(rig):
    link = rig.link(slow(hold=5.0))
    burst = shoot(link)
    until(lambda: rig.camera.shutter_down)
    link.close()
    assert not rig.camera.shutter_down and "closed or lost" in done(burst)


def test_the_key_goes_up_after_a_crash(rig):
    """A driver that is killed lets nothing go; the next one does."""
    transport = rig.transport()
    remote = PtpRemote(transport, PROFILE)
    remote.connect()
    keys = remote.shutter()
    next(keys)
    assert rig.camera.shutter_down
    transport.close()  # as the kernel does for a killed process
    keys.close()
    assert rig.camera.shutter_down, "nobody has let it go yet"
    link = rig.link()
    until(lambda: not rig.camera.shutter_down)
    assert done(shoot(link)) == "" and rig.camera.images == 2


def test_a_lost_connection_ends_the_burst_and_it_is_not_gone_on_with(rig):
    link = rig.link()
    burst = shoot(link, 2, 10.0)
    until(lambda: burst.taken == 1)
    rig.server.stop()
    assert "closed or lost" in done(burst)
    assert "not connected" in done(shoot(link))
    rig.server.start()
    until(lambda: link.status.connected)
    assert done(shoot(link)) == "" and rig.camera.images == 2


def test_a_busy_camera_is_asked_again_and_one_that_refuses_is_told_of(rig):
    link = rig.link()
    rig.camera.faults.inject(FaultKind.BUSY, count=3, operation=remote_codes.BUTTON)
    assert done(shoot(link)) == "" and rig.camera.images == 1
    rig.camera.faults.inject(FaultKind.ERROR, count=1, value=0x2002, operation=remote_codes.BUTTON)
    outcome = done(shoot(link, 3))
    assert "shutter: " in outcome and "0 of 3" in outcome
    until(lambda: link.status.last_error == outcome)
    assert link.status.connected and link.status.failed == 1 and not rig.camera.shutter_down


def test_a_grip_without_a_shutter(rig):
    link = rig.link(replace(PROFILE, shutter=None))
    assert "has no shutter" in done(shoot(link))


def test_a_profile_keeps_its_shutter_in_yaml():
    import yaml

    again = parse_profile(yaml.safe_load(format_profile(PROFILE)), PROFILE.name, "test")
    assert again == PROFILE and again.shutter is not None
