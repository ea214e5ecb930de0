"""Proof without a camera: the driver plays a learned profile against a camera made from the recordings.

The camera answers as the recorded one did. What comes over its wire, byte for byte except for the transaction ids, must
be what the grip sent in the recording of each button, press for press; heartbeats and pauses must keep its times.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from face_af_common.types import Action, ActionKind

from ..fields import Checksum, Clock, Counter, Echo
from ..profile import Profile
from ..ptp import DeviceInfo
from ..remote import PtpRemote, Refused
from ..transport import TransportError
from .observed import ObservedStep
from .outcome import Learned
from .recorded_camera import PlayedTime, RecordedCamera, Sent
from .runs import Run

SHORTEST_HOLD_SHARE = 0.8
"""A hold of the driver is in bounds from this share of the shortest one of the finger on."""

_PERIOD_ERROR = 0.05

_OPERATIONS = tuple(range(0x1001, 0x1029))
"""As many as a body offers that can be controlled; which ones does not matter here."""


@dataclass
class Proof:
    """``checked``: messages that were compared, by section; ``faults``: in what the driver differs from the grip."""

    checked: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.faults and bool(self.checked)


def prove(learned: Learned) -> Proof:
    """Plays ``learned.profile`` against every recording with a start-up and compares."""
    profile = learned.profile
    proof = Proof()
    if profile is None:
        proof.faults.append("there is no profile to prove")
        return proof
    played = False
    for index, run in enumerate(learned.runs):
        if run.started and not run.lost:
            played = True
            _play(learned, profile, index, proof)
    if not played:
        for index, run in enumerate(learned.runs):
            if run.started:
                _play(learned, profile, index, proof)
    _times(learned, profile, proof)
    return proof


def _play(learned: Learned, profile: Profile, index: int, proof: Proof) -> None:
    """One recorded session: the driver does what the user did, in the same order."""
    run = learned.runs[index]
    time = PlayedTime()
    model = profile.models[0] if profile.models else "camera"
    serial = _serial_for(profile)
    camera = RecordedCamera(run, learned.runs, DeviceInfo("Nikon", model, "", serial, operations=_OPERATIONS), time)
    remote = PtpRemote(camera, profile, clock=time)
    where = _where(learned.steps, index)
    try:
        remote.connect()
        _compare(learned, index, "init", [s for s in learned.steps if s.section == "init"], camera, proof, 0)
        disturbed = False
        done = _begin_of(where)
        for section, at in _happenings(where, run):
            before = len(camera.sent)
            camera.at = at
            end = _last_of(where, section, at)
            # not repeated here: heartbeats while a finger held the button, presses that were outvoted
            owner = section.split()[0]
            disturbed |= any(i not in where or where[i][0].section.split()[0] != owner for i in range(at, end))
            disturbed |= any(i not in where for i in range(done, at))
            done = max(done, end)
            if section.startswith("heartbeat"):
                time.sleep(remote.heartbeat_period)
                remote.heartbeat()
            elif section.endswith(" press"):
                remote.perform(Action(ActionKind[section.split()[0].upper()]), 1.0)
            else:
                continue
            disturbed |= camera.borrowed
            # a state that this recording shows only with the next heartbeat was sent at once
            disturbed |= _compare_from(learned, index, section, camera, before, at, proof, disturbed)
    except (TransportError, Refused) as error:
        proof.faults.append(f"{run.source}: {error}")


def _serial_for(profile: Profile) -> str:
    """A serial number that the profile's own expression takes: the learner writes it as ^escaped$."""
    return profile.serial.strip("^$").replace("\\", "")


Where = dict[int, tuple[ObservedStep, int]]


def _where(steps: Sequence[ObservedStep], run: int) -> Where:
    """Index of a transaction -> its step, and which one of its section it is."""
    numbers: dict[str, int] = defaultdict(int)
    found: Where = {}
    for step in steps:
        number = numbers[step.section]
        numbers[step.section] += 1
        for seen in step.seen:
            if seen.run == run:
                found[seen.at] = step, number
    return found


def _happenings(where: Where, run: Run) -> list[tuple[str, int]]:
    """The first message of every heartbeat and press, in order, up to the first loss."""
    first_hole = min(run.holes, default=len(run.transactions))
    found = []
    for at in sorted(where):
        step, number = where[at]
        if at >= first_hole:
            break
        if number == 0 and not step.section.startswith(("init", "close")):
            found.append((step.section, at))
    return found


def _begin_of(where: Where) -> int:
    """Index behind the start-up."""
    return max((at + 1 for at, (step, _) in where.items() if step.section == "init"), default=0)


def _last_of(where: Where, section: str, at: int) -> int:
    """Index behind the last message of the press or heartbeat that begins at ``at``."""
    owner, last, previous = section.split()[0], at + 1, (section, -1)
    for i in sorted(j for j in where if j >= at):
        step, number = where[i]
        if step.section.split()[0] != owner:
            continue
        if (step.section, number) <= previous and not (step.section.endswith("release") and previous[0] == section):
            break
        previous, last = (step.section, number), i + 1
    return last


def _compare(
    learned: Learned,
    index: int,
    section: str,
    steps: Sequence[ObservedStep],
    camera: RecordedCamera,
    proof: Proof,
    begin: int,
) -> int:
    recorded = []
    for step in steps:
        recorded += [seen.at for seen in step.seen if seen.run == index]
    for sent, at in zip(camera.sent[begin:], recorded, strict=False):
        _same(learned, index, section, sent, at, proof)
    if recorded and len(camera.sent) - begin != len(recorded):
        proof.faults.append(
            f"{section}: the driver sends {len(camera.sent) - begin} operations, the grip sent {len(recorded)}"
        )
    return len(camera.sent)


def _compare_from(
    learned: Learned,
    index: int,
    section: str,
    camera: RecordedCamera,
    before: int,
    at: int,
    proof: Proof,
    disturbed: bool,
) -> bool:
    """What the driver has just sent, with the recording from ``at`` on; True if it sent more than was recorded."""
    run = learned.runs[index]
    sent = camera.sent[before:]
    where = _where(learned.steps, index)
    button = section.split()[0]
    end = _last_of(where, section, at)
    mine = [i for i in range(at, end) if i in where and where[i][0].section.split()[0] == button]
    if section.startswith("heartbeat"):
        mine = [i for i in mine if where[i][0].section == section]
        # heartbeats of another rhythm may be due first
        operations = {run.transactions[i].operation for i in mine[: len(sent)]}
        sent = [one for one in sent if one.operation in operations]
    for one, i in zip(sent, mine, strict=False):
        _same(learned, index, section, one, i, proof, disturbed)
    if not sent and not section.startswith("heartbeat"):
        proof.faults.append(f"{section}: the driver sends nothing")
    return len(sent) > len(mine)


def _same(
    learned: Learned, index: int, section: str, sent: Sent, at: int, proof: Proof, disturbed: bool = False
) -> None:
    true = learned.runs[index].transactions[at]
    step = _where(learned.steps, index)[at][0]
    proof.checked[section] = proof.checked.get(section, 0) + 1
    if len(proof.faults) >= 20:
        return
    if sent.operation != true.operation or len(sent.params) != len(true.params or ()):
        proof.faults.append(
            f"{section}, packet {true.number}: 0x{sent.operation:04X} instead of 0x{true.operation:04X}"
        )
        return
    left_out: tuple[type, ...] = (Clock, Counter, Checksum, Echo) if disturbed else (Clock,)
    mine = _bytes(sent.params, sent.data, step, left_out)
    theirs = _bytes(true.params or (), true.data, step, left_out)
    if mine != theirs:
        proof.faults.append(f"{section}, packet {true.number}: {mine.hex(' ')} instead of {theirs.hex(' ')}")


def _bytes(params: Sequence[int], data: bytes | None, step: ObservedStep, left_out: tuple[type, ...]) -> bytes:
    """Parameters and data without what a second playing cannot repeat: times, and counters behind what it left out."""
    raw = bytearray(b"".join(p.to_bytes(4, "little") for p in params) + (data or b""))
    base = 4 * len(params)
    for position, part in step.fields.items():
        if isinstance(part, left_out):
            begin, width = (4 * position, 4) if position < 100 else (base + position - 100, part.bytes)
            raw[begin : begin + width] = bytes(width)
    return bytes(raw)


def _times(learned: Learned, profile: Profile, proof: Proof) -> None:
    """Holds and periods within bounds of the recorded ones."""
    for beat, shown in zip(profile.heartbeats, learned.beats, strict=False):
        period = shown.rest if beat.idle else shown.period
        if abs(beat.period - period) > _PERIOD_ERROR * period:
            proof.faults.append(f"a heartbeat every {beat.period} s instead of {period:.3f} s")
    holds = []
    shortest = math.inf
    for pattern in learned.patterns.values():
        if pattern.press and pattern.release:
            mine = [b.time - a.end for a, b in zip(pattern.press[-1], pattern.release[0], strict=True)]
            holds += mine
            # shorter than a finger where a longer one would be reported again
            shortest = min(shortest, *mine, 0.7 * pattern.repeats or math.inf)
    if holds and not SHORTEST_HOLD_SHARE * shortest <= profile.hold <= max(statistics.median(holds), 1.3 * min(holds)):
        proof.faults.append(f"buttons are held for {profile.hold} s, the finger held {min(holds):.3f} s and longer")
