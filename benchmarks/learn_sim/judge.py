"""Whether the driver with a learned profile says what the grip would say: in a session that nobody has recorded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from face_af_common.types import Action, ActionKind
from nikon_mcn10_driver.capture.recorded_camera import PlayedTime
from nikon_mcn10_driver.profile import Profile
from nikon_mcn10_driver.ptp import Event
from nikon_mcn10_driver.remote import PtpRemote
from nikon_mcn10_driver.transport import Reply

from .evening import CLOSE, INFO, OPEN, Camera
from .grip import Grip, Say, Talk


@dataclass
class Cable:
    """A transport to the invented camera; ``said``: what came over it, without opening and closing."""

    camera: Camera
    time: PlayedTime
    name: str = "cable"
    written_at: float = 0.0

    def __post_init__(self) -> None:
        self.said: list[Say] = []

    def connect(self) -> None: ...

    def transact(
        self,
        code: int,
        transaction_id: int,
        params: Sequence[int] = (),
        data_out: bytes | None = None,
        timeout: float = 3.0,
    ) -> Reply:
        say = Say(code, tuple(params), data_out)
        if code not in (OPEN, CLOSE, INFO):
            self.said.append(say)
        self.time.at += 0.002
        heard = self.camera.hear(say)
        return Reply(heard.code, heard.params, heard.data)

    def events(self) -> list[Event]:
        return []

    def reset(self) -> bool:
        return False

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


def differences(grip: Grip, profile: Profile, buttons: Sequence[str], seed: int) -> list[str]:
    """What the driver says otherwise than the grip would; empty when the profile is exactly right."""
    rng = random.Random(seed)
    time = PlayedTime()
    cable = Cable(Camera(grip, seed), time)
    oracle = Oracle(grip, Camera(grip, seed), time)
    remote = PtpRemote(cable, profile, clock=time)
    faults: list[str] = []

    def compare(what: str, wanted: list[Say]) -> None:
        got, cable.said = cable.said, []
        if len(got) != len(wanted):
            faults.append(f"{what}: {len(got)} operations instead of {len(wanted)}")
        for mine, true in zip(got, wanted, strict=False):
            if not _equal(mine, true):
                faults.append(f"{what}: {_show(mine)} instead of {_show(true)}")

    grip.switch_on()
    remote.connect()
    compare("start", oracle.hear(grip.start()))
    missing = [button for button in buttons if ActionKind[button.upper()] not in profile.buttons]
    if missing:
        return [f"no button {', '.join(missing)}"]
    for _ in range(14):
        for _ in range(rng.randrange(4)):
            time.sleep(remote.heartbeat_period)
            remote.heartbeat()
            wanted: list[Say] = []
            while len(wanted) < len(cable.said):
                group = grip.group_of(cable.said[len(wanted)].operation, cable.said[len(wanted)].params)
                wanted += oracle.hear(grip.beat(group))
            compare("heartbeat", wanted)
        button = rng.choice(list(buttons))
        remote.perform(Action(ActionKind[button.upper()]), 1.0)
        compare(button, oracle.hear(grip.press(button)) + oracle.hear(grip.release(button)))
    for i, rhythm in enumerate(grip.rhythms):
        if not any(abs(beat.period - rhythm) < 0.04 * rhythm + 0.008 and beat.steps for beat in profile.heartbeats):
            faults.append(f"heartbeat {i + 1}: {[beat.period for beat in profile.heartbeats]} s instead of {rhythm}")
    if len(profile.heartbeats) != len(grip.rhythms):
        faults.append(f"{len(profile.heartbeats)} heartbeats instead of {len(grip.rhythms)}")
    if any(beat.idle != grip.idle for beat in profile.heartbeats):
        faults.append(f"heartbeats idle={profile.heartbeats[0].idle} instead of {grip.idle}")
    return faults


class Oracle:
    """What the grip itself says to a camera with the same answers."""

    def __init__(self, grip: Grip, camera: Camera, time: PlayedTime) -> None:
        self._camera = camera
        grip.now = time.now

    def hear(self, talk: Talk) -> list[Say]:
        said = []
        try:
            say = next(talk)
            while True:
                said.append(say)
                say = talk.send(self._camera.hear(say))
        except StopIteration:
            return said


def _equal(mine: Say, true: Say) -> bool:
    if true.clock is None:
        return (mine.operation, mine.params, mine.data) == (true.operation, true.params, true.data)
    place, width, tolerance = true.clock
    if mine.data is None or true.data is None or mine.operation != true.operation or mine.params != true.params:
        return False
    at = slice(place - 100, place - 100 + width)
    distance = int.from_bytes(mine.data[at], "little") - int.from_bytes(true.data[at], "little")
    rest = [data[: at.start] + data[at.stop :] for data in (mine.data, true.data)]
    return abs(distance) <= tolerance and rest[0] == rest[1]


def _show(say: Say) -> str:
    data = "" if say.data is None else " " + say.data.hex(" ")
    return f"0x{say.operation:04X}({', '.join(f'0x{p:X}' for p in say.params)}){data}"
