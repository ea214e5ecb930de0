"""From what a button adds to a recording to its press and its release."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .message_kinds import Kind, kinds_in
from .runs import Run, known
from .transactions import Transaction

MIN_PRESSES = 3
"""Equal presses from which they are believed."""

_SHORTEST_HOLD = 0.03
"""Seconds; no finger is quicker."""

_FINGER_SPREAD = 0.008
"""Seconds; no finger is steadier."""

_SHORTEST_PAUSE = 0.3
"""Seconds between two presses, at least."""

_LONGEST_CYCLE = 24
"""Messages of one press with its release, at most, where only their order tells presses apart."""

_BURST = 0.03
"""Seconds; messages that are closer belong to one burst of the grip, whatever the finger does."""


@dataclass
class Press:
    """One press as it was seen. ``lossy``: the capture has lost something in it or beside it; ``session``: the same
    number for all presses of one session."""

    messages: list[Transaction]
    lossy: bool
    session: int
    beat_after: Transaction | None = None
    """The heartbeat that came behind it before its time, if one did: perhaps a part of the press."""
    early: bool = False
    """Whether the rhythm of the heartbeats before the press does not explain it either."""


@dataclass
class ButtonPattern:
    """What the presses of a button have in common. ``press`` and ``release``: for each step its messages, one a press.

    ``hold``: shortest seconds between the two; ``repeats``: seconds after which a held button is reported again, 0
    never.
    """

    press: list[list[Transaction]]
    release: list[list[Transaction]]
    hold: float
    repeats: float
    presses: list[Press]
    agreeing: int
    notes: list[str] = field(default_factory=list)


class Unclear(Exception):
    """Something cannot be told from the recordings; the text says what, and on which packets that rests."""


def find_pattern(button: str, presses: Sequence[Press], kinds: Sequence[Kind]) -> ButtonPattern:
    """The pattern that the whole presses share; :class:`Unclear` when they share none."""
    names = {id(t): _name(kinds, t) for press in presses for t in press.messages}
    whole = [press for press in presses if not press.lossy]
    forms = Counter(_form(press, names) for press in whole)
    if not forms:
        raise Unclear(f"{button}: no press without lost packets ({len(presses)} seen); record it again")
    form, votes = forms.most_common(1)[0]
    # what was lost beside them has left these as they are
    intact = [press for press in presses if press.lossy and votes >= 2 and _form(press, names) == form]
    if votes + len(intact) < MIN_PRESSES:
        raise Unclear(
            f"{button}: only {votes} presses are alike, {MIN_PRESSES} are needed (presses at packets"
            f" {_packets(presses)})"
        )
    if votes < 0.7 * len(whole):
        others = [press for press in whole if _form(press, names) != form]
        raise Unclear(
            f"{button}: {len(whole) - votes} of {len(whole)} presses differ from the others (packets"
            f" {_packets(others)});"
            " record the button again, one press at a time"
        )
    agreeing = [press for press in whole if _form(press, names) == form]
    if votes < MIN_PRESSES:
        agreeing += intact
    strange = [press for press in presses if press.lossy and not set(_form(press, names)) <= set(form)]
    if len(strange) >= votes:
        raise Unclear(
            f"{button}: {len(strange)} presses with lost packets show more than the {votes} that look whole (packets"
            f" {_packets(strange)}); record the button again"
        )
    if _twice(form, agreeing):
        raise Unclear(
            f"{button}: it cannot be told whether the messages come twice in a press, or two presses followed closely"
            f" (packets {_packets(agreeing)}); record it again with pauses of two seconds"
        )
    pattern = _split(button, form, agreeing, names)
    pattern.presses, pattern.agreeing = list(presses), votes
    if votes < len(whole):
        pattern.notes.append(f"{len(whole) - votes} presses differ and were outvoted")
    return pattern


def _packets(presses: Sequence[Press]) -> str:
    numbers = [str(press.messages[0].number) for press in presses[:8]]
    return ", ".join(numbers) + (" …" if len(presses) > 8 else "")


def _name(kinds: Sequence[Kind], transaction: Transaction) -> int:
    for i, kind in enumerate(kinds):
        if kind.fits(transaction):
            return i
    return -1


def message_kinds(presses: Sequence[Press]) -> list[Kind]:
    """The kinds of messages that the presses of a button consist of, by session."""
    sessions: dict[int, list[Transaction]] = {}
    for press in presses:
        sessions.setdefault(press.session, []).extend(press.messages)
    return [kind for kind, _ in kinds_in(*sessions.values())]


def _form(press: Press, names: dict[int, int]) -> tuple[int, ...]:
    """The kinds of a press in order, a message that is repeated while the button is held only once."""
    form: list[int] = []
    last = 0.0
    for transaction in press.messages:
        name = names[id(transaction)]
        if form and form[-1] == name and transaction.time - last >= _BURST:
            last = transaction.time
            continue
        form.append(name)
        last = transaction.time
    return tuple(form)


def _twice(form: tuple[int, ...], presses: Sequence[Press]) -> bool:
    """Whether a press consists of two equal halves with a pause between them that separates presses elsewhere."""
    half = len(form) // 2
    if half < 2 or form[:half] != form[half:]:
        return False
    pauses = []
    for press in presses:
        longest = max(b.time - a.time for a, b in itertools.pairwise(press.messages))
        pauses.append(longest)
    return statistics.median(pauses) >= _SHORTEST_PAUSE


def _split(button: str, form: tuple[int, ...], presses: Sequence[Press], names: dict[int, int]) -> ButtonPattern:
    """Press and release lie on both sides of the pause of the finger."""
    steps: list[list[Transaction]] = [[] for _ in form]
    pauses: list[list[float]] = [[] for _ in form[1:]]
    repeats: list[float] = []
    for press in presses:
        at = -1
        last: Transaction | None = None
        for transaction in press.messages:
            same = last is not None and names[id(last)] == names[id(transaction)]
            if same and last is not None and transaction.time - last.time >= _BURST:
                repeats.append(transaction.time - last.time)
            else:
                at += 1
                steps[at].append(transaction)
                if last is not None and at > 0:
                    pauses[at - 1].append(transaction.time - last.time)
            last = transaction
    middles = [statistics.median(gaps) for gaps in pauses]
    candidates = [i for i, middle in enumerate(middles) if middle >= _SHORTEST_HOLD]
    by_finger = [i for i in candidates if statistics.pstdev(pauses[i]) >= _FINGER_SPREAD]
    if by_finger:
        candidates = by_finger
    elif candidates and (max(middles) < 2 * _SHORTEST_HOLD or len(candidates) > 1):
        # pauses as steady as these are the grip's own
        candidates = []
    repeat = statistics.median(repeats) if repeats else 0.0
    if not candidates:
        return ButtonPattern(steps, [], 0.0, repeat, [], 0)
    cut = max(candidates, key=lambda i: middles[i])
    rivals = [i for i in candidates if i != cut and middles[i] * 1.3 > middles[cut]]
    if rivals and not _steadier(pauses, rivals, cut):
        raise Unclear(
            f"{button}: the press has two pauses of about {middles[cut]:.2f} s, so it cannot be told where the"
            f" finger went up"
            f" (packets {_packets(presses)}); record it again and hold the button for a second"
        )
    held = [p.messages[-1].time - p.messages[0].time for p in presses] if repeat else pauses[cut]
    return ButtonPattern(steps[: cut + 1], steps[cut + 1 :], min(held), repeat, [], 0)


def _steadier(pauses: Sequence[Sequence[float]], rivals: Sequence[int], cut: int) -> bool:
    """A machine's pauses are steadier than a finger's."""
    spread = statistics.pstdev(pauses[cut])
    return all(statistics.pstdev(pauses[i]) < 0.25 * spread for i in rivals)


def cut_presses(run: Run, extras: Sequence[int]) -> list[Press]:
    """Presses out of the indices of what is no heartbeat and no start-up.

    Where to cut follows from the messages: of all ways, the one by which the presses are most alike. They begin after
    a pause that stands out, or, where a button is held for as long as the pauses, when all of a press has come.
    """
    if not extras:
        return []
    messages = [run.transactions[i] for i in extras]
    gaps = [b.time - a.time for a, b in itertools.pairwise(messages)]
    kinds = [kind for kind, _ in kinds_in(messages)]
    names = {id(t): _name(kinds, t) for t in messages}
    first_seen = run.started and not any(at <= extras[0] for at in run.holes)
    ways = [[gap > limit for gap in gaps] for limit in _limits(gaps)]
    if first_seen:
        ways += _cycles([names[id(t)] for t in messages], gaps)
    best: list[Press] = []
    best_score = -1.0
    for begins in ways:
        presses = _cut(run, extras, begins)
        whole = [press for press in presses if not press.lossy] or presses
        form, votes = Counter(_form(press, names) for press in whole).most_common(1)[0]
        score = votes / len(whole) if len(presses) >= MIN_PRESSES else 0.0
        if first_seen and not presses[0].lossy and _form(presses[0], names) != form:
            # perhaps the release of one press was taken together with the next press
            score *= 0.9
        if _twice(form, [press for press in whole if _form(press, names) == form]):
            score *= 0.5
        if score > best_score + 0.05:
            best, best_score = presses, score
    return best


def _cycles(names: Sequence[int], gaps: Sequence[float]) -> Iterator[list[bool]]:
    """Ways to cut where the kinds of messages come in the same order again and again, from the first message on."""
    for length in range(1, min(_LONGEST_CYCLE, len(names) // MIN_PRESSES) + 1):
        cycle, at = names[:length], 0
        begins = []
        for i, (before, name) in enumerate(itertools.pairwise(names)):
            at += 1
            begin = at == length or (name == cycle[0] and name != cycle[at])
            if begin and gaps[i] < _SHORTEST_PAUSE:
                break
            if not begin and name == before != cycle[at]:
                # reported again while it is held
                at -= 1
            at = 0 if begin else at
            begins.append(begin)
        else:
            yield begins


def _limits(gaps: Sequence[float]) -> list[float]:
    """Lengths between which the pauses fall into short and long ones, the longest first."""
    ordered = sorted(gaps)
    limits = [(a * b) ** 0.5 for a, b in itertools.pairwise(ordered) if b >= _SHORTEST_PAUSE and b > 1.5 * max(a, 1e-6)]
    return [*sorted(limits, reverse=True), _SHORTEST_PAUSE]


def _cut(run: Run, extras: Sequence[int], begins: Sequence[bool]) -> list[Press]:
    """``begins``: for each but the first whether a press begins with it."""
    groups: list[list[int]] = [[extras[0]]]
    for index, begin in zip(extras[1:], begins, strict=True):
        if begin:
            groups.append([])
        groups[-1].append(index)
    presses = []
    for group in groups:
        indices = range(group[0], group[-1] + 2)
        lossy = any(i in run.holes for i in indices)
        lossy |= any(not known(run.transactions[i]) for i in range(group[0], min(group[-1] + 1, len(run.transactions))))
        presses.append(Press([run.transactions[i] for i in group], lossy, id(run)))
    return presses
