"""The virtual Z8 hears a grip of invented codes: what a profile says, value for value, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from face_af_common.types import Action, ActionKind
from face_af_sim.virtual_z8 import GripEar, PtpIpServer, VirtualZ8, grip_of
from face_af_sim.virtual_z8.recording import RecordingBody
from nikon_mcn10_driver.fields import Checksum, Counter, CounterRule, Echo
from nikon_mcn10_driver.profile import Button, Heartbeat, Profile, ProfileError, Step
from nikon_mcn10_driver.remote import PtpRemote, Refused
from nikon_mcn10_driver.transport import TransportError
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport

N = Counter("n")


def button(number: int) -> Button:
    sent = (b"\x07", Echo(0x9A01, offset=3), N, Checksum("crc32", 0, 9))
    return Button((Step(0x9A01), Step(0x9A02, (number, 1), sent)), (Step(0x9A02, (number, 0), b"\x07"),))


PROFILE = Profile(
    "invented",
    "a test",
    {ActionKind.LEFT: button(11), ActionKind.RIGHT: button(12)},
    init=(Step(0x9A03, (1,)), Step(0x9A03, (2,))),
    heartbeats=(Heartbeat((Step(0x9A04, (N,)),), 0.5),),
    counters={"n": CounterRule(start=5, step=2)},
    hold=0.0,
)


@pytest.fixture
def body():
    return RecordingBody()


@pytest.fixture
def server(body):
    server = PtpIpServer(VirtualZ8(body, grip=GripEar(PROFILE)), port=0)
    server.start()
    yield server
    server.stop()


def remote(server, profile=PROFILE):
    return PtpRemote(PtpIpTransport("127.0.0.1", server.port), profile)


def test_presses_of_the_profile_reach_the_body(server, body):
    grip = remote(server)
    grip.connect()
    for kind in (ActionKind.LEFT, ActionKind.RIGHT, ActionKind.LEFT):
        grip.perform(Action(kind), 1.0)
        grip.heartbeat()
    grip.close()
    assert [kind for _, kind in body.presses] == [ActionKind.LEFT, ActionKind.RIGHT, ActionKind.LEFT]


@pytest.mark.parametrize(
    "wrong",
    [
        {"counters": {"n": CounterRule(start=5, step=3)}},
        {"buttons": {ActionKind.LEFT: Button((Step(0x9A01), Step(0x9A02, (11, 1), b"\x07" + bytes(12))))}},
        {"buttons": {ActionKind.LEFT: button(13)}},
    ],
    ids=["counter", "echo", "code"],
)
def test_what_the_grip_would_not_say_is_refused(server, body, wrong):
    grip = remote(server, replace(PROFILE, **wrong))
    grip.connect()
    with pytest.raises(Refused, match="INVALID_PARAMETER"):
        for _ in range(2):
            grip.perform(Action(ActionKind.LEFT), 1.0)
    grip.close()
    assert len(body.presses) < 2


def test_nothing_is_heard_before_the_start_up(server, body):
    with pytest.raises(TransportError, match="INVALID_PARAMETER"):
        remote(server, replace(PROFILE, init=PROFILE.init[1:])).connect()


def test_a_profile_that_is_none_is_refused(tmp_path):
    assert grip_of("") is None
    with pytest.raises(ProfileError):
        grip_of(str(tmp_path / "none.yaml"))
