"""The link's rules, with a remote that does as the test says."""

from __future__ import annotations

import threading
import time

import pytest

from face_af_common.leader_lock import LeaderLock
from face_af_common.types import Action, ActionKind
from nikon_mcn10_driver.link import CameraLink, Command, LinkTiming
from nikon_mcn10_driver.params import ReconnectParams
from nikon_mcn10_driver.remote import DryRunRemote, Identity, Refused
from nikon_mcn10_driver.transport import DeviceGone

LEFT = Action(ActionKind.LEFT)


class Scripted(DryRunRemote):
    """Performs when ``gate`` is open."""

    heartbeat_period = 0.05

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.performed: list[float] = []
        self.busy = threading.Event()
        self.fail: Exception | None = None
        self.connect_fails = 0
        self.connects = self.closes = self.heartbeats = 0

    def connect(self) -> Identity:
        self.connects += 1
        if self.connect_fails:
            self.connect_fails -= 1
            raise DeviceGone("nobody there")
        return Identity("scripted", "1")

    def perform(self, action: Action, budget: float) -> float:
        self.busy.set()
        self.gate.wait(5)
        self.busy.clear()
        if self.fail is not None:
            error, self.fail = self.fail, None
            raise error
        self.performed.append(action.x)
        return time.monotonic()

    def heartbeat(self) -> None:
        self.heartbeats += 1

    def close(self) -> None:
        self.closes += 1


def until(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)


@pytest.fixture
def remote():
    return Scripted()


@pytest.fixture
def link(remote):
    clock, before = {"offset": 0}, threading.enumerate()
    link = CameraLink(lambda: remote, LinkTiming(0.2, 0.01, 0.05), lambda: time.time_ns() + clock["offset"])
    link.clock = clock
    link.start()
    until(lambda: link.status.connected)
    yield link
    remote.gate.set()
    link.close()
    assert "camera_link" not in {thread.name for thread in threading.enumerate() if thread not in before}


def command(number: int, stamp_ns: int | None = None) -> Command:
    action = Action(ActionKind.AF_AREA, x=float(number))
    return Command(action, time.time_ns() if stamp_ns is None else stamp_ns, number)


def done(one: Command) -> str:
    assert one.done.wait(5)
    return one.outcome


def test_a_command_is_sent_once(link, remote):
    one = command(1)
    link.submit(one)
    assert done(one) == ""
    assert remote.performed == [1.0]
    assert (link.status.sent, link.status.last_command_id) == (1, 1)
    assert 0 < link.status.latency_s < 1


def test_the_newest_wins(link, remote):
    remote.gate.clear()
    commands = [command(n) for n in range(1, 6)]
    link.submit(commands[0])
    assert remote.busy.wait(5)
    for one in commands[1:]:
        link.submit(one)
    remote.gate.set()
    outcomes = [done(one) for one in commands]
    assert remote.performed == [1.0, 5.0]
    assert [bool(outcome) for outcome in outcomes] == [False, True, True, True, False]
    assert (link.status.sent, link.status.dropped_stale, link.status.last_command_id) == (2, 3, 5)


def test_an_old_command_is_dropped(link, remote):
    one = command(7, time.time_ns() - 300_000_000)
    link.submit(one)
    assert "old" in done(one)
    assert remote.performed == [] and link.status.dropped_stale == 1 and link.status.last_command_id == 7


def test_age_counts_when_it_is_sent_not_when_it_comes(link, remote):
    remote.gate.clear()
    first, second = command(1), command(2)
    link.submit(first)
    assert remote.busy.wait(5)
    link.submit(second)
    time.sleep(0.25)
    remote.gate.set()
    assert done(first) == "" and "old" in done(second)


def test_age_is_measured_with_the_given_clock(link):
    """A simulated clock that stands still ages nothing; one that has jumped does."""
    link.clock["offset"] = -10_000_000_000
    one = command(1)
    link.submit(one)
    assert "ahead of the clock" in done(one)
    two = command(2, time.time_ns() - 10_000_000_000)
    link.submit(two)
    assert done(two) == ""


def test_success_flushes_what_was_decided_before(link, remote):
    remote.gate.clear()
    first, old = command(1), command(2)
    link.submit(first)
    assert remote.busy.wait(5)
    link.submit(old)
    link.flush(old.stamp_ns)
    assert old.outcome is None, "decided on the same frame: stays"
    link.flush(old.stamp_ns + 1)
    assert done(old) == "no longer needed"
    remote.gate.set()
    done(first)
    assert remote.performed == [1.0]


def test_a_refusal_is_counted_and_the_connection_stays(link, remote):
    remote.fail = Refused("not that button")
    one = command(1)
    link.submit(one)
    assert done(one) == "not that button"
    assert link.status.connected and link.status.failed == 1 and link.status.last_error == "not that button"


@pytest.mark.parametrize("error", [DeviceGone("unplugged"), RuntimeError("surprise")])
def test_a_broken_connection_fails_the_command_and_is_made_anew(link, remote, error):
    remote.fail = error
    one = command(1)
    link.submit(one)
    assert str(error) in done(one)
    until(lambda: link.status.connected and link.status.reconnects == 1)
    two = command(2)
    link.submit(two)
    assert done(two) == "" and remote.performed == [2.0], "the failed one is never sent again"
    assert remote.closes == 1


def test_without_a_camera_commands_fail_at_once(remote):
    remote.connect_fails = 10**6
    link = CameraLink(lambda: remote, LinkTiming(0.2, 0.01, 0.05))
    link.start()
    until(lambda: link.status.last_error)
    one = command(3)
    link.submit(one)
    assert "nobody there" in one.outcome
    assert link.status.failed == 1 and link.status.last_command_id == 3
    link.close()


def test_pauses_between_tries_grow_and_end_with_success(remote):
    remote.connect_fails = 4
    link = CameraLink(lambda: remote, LinkTiming(0.2, 0.02, 0.08))
    started = time.monotonic()
    link.start()
    until(lambda: link.status.connected)
    assert time.monotonic() - started >= 0.02 + 0.04 + 0.08 + 0.08
    assert remote.connects == 5 and link.status.reconnects == 0 and link.status.last_error == ""
    link.close()


def test_by_default_a_camera_that_is_back_is_found_within_half_a_second():
    """However long it was away."""
    assert ReconnectParams().max_pause <= 0.5


def test_heartbeats_come_while_idle(link, remote):
    until(lambda: remote.heartbeats >= 3)


def test_reconnect_on_request(link, remote):
    link.reconnect()
    until(lambda: link.status.reconnects == 1 and link.status.connected)
    assert remote.connects == 2


def test_ids_may_start_again(link):
    """Steering was restarted: its new ids are smaller, and still the newest."""
    for number in (50, 1):
        one = command(number)
        link.submit(one)
        done(one)
    assert link.status.last_command_id == 1


def test_closing_ends_a_wait_for_the_next_try(remote):
    remote.connect_fails = 10**6
    link = CameraLink(lambda: remote, LinkTiming(0.2, 60.0, 60.0))
    link.start()
    until(lambda: link.status.last_error)
    started = time.monotonic()
    link.close()
    assert time.monotonic() - started < 1.0


def test_of_two_drivers_at_one_camera_the_second_waits_and_says_so() -> None:
    def make() -> CameraLink:
        return CameraLink(Scripted, LinkTiming(0.2, 0.01, 0.05), lock=LeaderLock([f"test camera {id(Scripted)}"]))

    first, second = make(), make()
    first.start()
    until(lambda: first.status.connected)
    second.start()
    until(lambda: "another driver on this machine has the camera" in second.status.last_error)
    assert not second.status.connected
    first.close()
    until(lambda: second.status.connected)
    second.close()


def test_a_camera_that_is_lost_again_and_again_may_have_two_masters() -> None:
    class Thrown(Scripted):
        def heartbeat(self) -> None:
            raise DeviceGone("the camera has closed the connection")

    link = CameraLink(Thrown, LinkTiming(0.2, 0.01, 0.02))
    link.start()
    until(lambda: "does another driver use the same camera?" in link.status.last_error)
    link.close()
