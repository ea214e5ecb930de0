"""Values that count: which messages share a counter, how it steps and wraps, and clocks."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..fields import Counter, CounterRule, TransactionId
from .counter_gaps import Gaps, Slot
from .observed import ObservedStep, Seen, value_of
from .runs import Run


@dataclass
class FoundCounter:
    """``followers``: slots that repeat the newest value. ``started``: whether its first value was seen."""

    rule: CounterRule
    slots: list[Slot]
    followers: list[Slot]
    started: bool
    starts: list[int]
    wrapped: bool


def number_slots(step: ObservedStep, index: int, position: int) -> Iterator[Slot]:
    """Ways to read a number that begins or ends at a varying position, the most likely first."""
    if position < 100:
        yield Slot(index, position, 4)
        return
    zero = {p for p in range(100, 100 + step.shape[2]) if all(value_of(s.transaction, p, 1) == 0 for s in step.seen)}
    varying = set(step.unexplained())
    # aligned numbers first; zeros may be the upper bytes of one that has not become large yet
    starts = [(100 + (position - 100) // width * width, width) for width in (8, 4)]
    starts += [(position, 4), (position - 3, 4), (100 + (position - 100) // 2 * 2, 2)]
    for at, width in starts:
        inside = set(range(at, at + width))
        if at >= 100 and inside <= varying | zero and step.free(at, width):
            for big in (False, True):
                yield Slot(index, at, width, big)
    for width in (4, 3, 2):
        for big in (False, True):
            if step.free(position, width) and set(range(position, position + width)) <= varying:
                yield Slot(index, position, width, big)
    yield Slot(index, position, 1)


def counts(step: ObservedStep, slot: Slot) -> tuple[float, float] | None:
    """How often neighbouring values do not grow (0 to 1) and how far apart they are otherwise (median); None when they
    do not count."""
    steps: list[int] = []
    for before, after in neighbours(step.seen):
        steps.append(slot.value(after) - slot.value(before))
    if len({slot.value(seen) for seen in step.seen}) < 2 or not steps:
        return None
    up = [d for d in steps if d > 0]
    down = [d for d in steps if d < 0]
    if len(down) > 0.4 * len(steps) or not up:
        return None
    if not _one_start(step.seen, slot, steps):
        return None
    return 1.0 - len(up) / len(steps), statistics.median(up)


def _one_start(seen: Sequence[Seen], slot: Slot, steps: Sequence[int]) -> bool:
    """Whether all sessions can have begun with the same value: a multiple of the step away, a step for each operation
    at most. Else a part of the number belongs to the session."""
    first: dict[int, Seen] = {}
    for one in seen:
        first.setdefault(one.run, one)
    start = min(slot.value(one) for one in first.values())
    longest, common = max(steps), math.gcd(*steps)
    return all(
        (away := slot.value(one) - start) <= longest * max(1, one.transaction.tid) and away % common == 0
        for one in first.values()
    )


def neighbours(seen: Sequence[Seen]) -> Iterator[tuple[Seen, Seen]]:
    for a, b in itertools.pairwise(seen):
        if a.run == b.run:
            yield a, b


def is_transaction_id(step: ObservedStep, slot: Slot) -> TransactionId | None:
    """The field, where the number follows the transaction id."""
    distances = {slot.value(s) - s.transaction.tid for s in step.seen}
    if len(distances) != 1 or len({s.transaction.tid for s in step.seen}) < 3:
        return None
    return TransactionId(distances.pop(), slot.width, slot.big)


def find_counters(steps: Sequence[ObservedStep], pool: list[Slot], runs: Sequence[Run]) -> list[FoundCounter]:
    """Counters that explain the slots of ``pool``, each shared by as many as possible. Explained slots leave the
    pool."""
    found = []
    gaps = Gaps(steps, runs)
    while pool:
        for group in _groups(steps, pool):
            counter = _as_one(steps, group, runs, gaps)
            if counter is not None:
                found.append(counter)
                pool[:] = [slot for slot in pool if slot not in group]
                break
        else:
            break
    return found


def _groups(steps: Sequence[ObservedStep], pool: Sequence[Slot]) -> Iterator[list[Slot]]:
    keys: list[Callable[[Slot], object]] = [
        lambda s: 0,
        lambda s: (s.position, s.width),
        lambda s: steps[s.step].shape[0],
        lambda s: (steps[s.step].shape, s.position),
        lambda s: steps[s.step].section.split(" ")[0] in ("init", "heartbeat"),
        lambda s: (steps[s.step].section.split(" ")[0] in ("init", "heartbeat"), s.position),
        lambda s: steps[s.step].section.split(" ")[-1],
        lambda s: steps[s.step].section.split(" ")[0],
        lambda s: steps[s.step].section,
        lambda s: s,
    ]
    tried: set[frozenset[Slot]] = set()
    for key in keys:
        groups: dict[object, list[Slot]] = {}
        for slot in pool:
            groups.setdefault(key(slot), []).append(slot)
        for group in sorted(groups.values(), key=len, reverse=True):
            if frozenset(group) not in tried:
                tried.add(frozenset(group))
                yield group


def _as_one(
    steps: Sequence[ObservedStep], group: Sequence[Slot], runs: Sequence[Run], gaps: Gaps
) -> FoundCounter | None:
    sequence = _sequence(steps, group)
    followers = _followers(sequence, group)
    if len(followers) == len(group):
        return None
    counting = [entry for entry in sequence if entry[1] not in followers]
    pairs = [
        (slot_a.value(a), slot_b.value(b), gaps.between(a, b))
        for (a, slot_a), (b, slot_b) in itertools.pairwise(counting)
        if a.run == b.run
    ]
    clean = sum(not holes for _, _, holes in pairs)
    if clean < max(3, 0.3 * len(pairs)):
        return None
    bits = min(slot.bits for slot in group)
    rule = _rule(pairs, bits)
    if rule is None:
        return None
    for before, after, holes in pairs:
        value, fits = before, False
        for _ in range(1 + min(holes, 64)):
            value = rule.after(value)
            fits |= value == after
        if not fits:
            return None
    if any(not _same_as_newest(sequence, slot, followers) for slot in followers):
        return None
    counted = [s for s in group if s not in followers]
    return _started(steps, counting, rule, runs, counted, followers, pairs, gaps)


Entry = tuple[Seen, Slot]


def _sequence(steps: Sequence[ObservedStep], group: Sequence[Slot]) -> list[Entry]:
    entries = [(seen, slot) for slot in group for seen in steps[slot.step].seen]
    return sorted(entries, key=lambda e: (e[0].run, e[0].at, e[1].position))


def _followers(sequence: Sequence[Entry], group: Sequence[Slot]) -> list[Slot]:
    """Slots that always repeat the value of the message before."""
    follows = dict.fromkeys(group, True)
    counted = dict.fromkeys(group, 0)
    for (a, slot_a), (b, slot_b) in itertools.pairwise(sequence):
        if a.run == b.run and slot_a != slot_b:
            counted[slot_b] += 1
            follows[slot_b] &= slot_a.value(a) == slot_b.value(b)
        elif a.run == b.run:
            follows[slot_b] = False
    return [slot for slot in group if follows[slot] and counted[slot] >= 2]


def _same_as_newest(sequence: Sequence[Entry], slot: Slot, followers: Sequence[Slot]) -> bool:
    newest: tuple[int, int] | None = None
    for seen, other in sequence:
        if other not in followers:
            newest = seen.run, other.value(seen)
        elif other == slot and newest is not None and newest[0] == seen.run and slot.value(seen) != newest[1]:
            return False
    return True


def _rule(pairs: Sequence[tuple[int, int, int]], bits: int) -> CounterRule | None:
    clean = [(a, b) for a, b, holes in pairs if not holes]
    ups = Tally(b - a for a, b in clean if b > a)
    if not ups or sum(ups.values()) < 2:
        return None
    step = ups.most_common(1)[0][0]
    wraps = [(a, b) for a, b in clean if b < a]
    if not wraps:
        return CounterRule(0, step, 1 << bits)
    rules = set()
    for before, after in wraps:
        if step == 1:
            rules.add((before + 1 - after, after))
        else:
            rules.add((before + step - after, 0))
    if len(rules) != 1:
        return None
    modulo, lowest = rules.pop()
    return CounterRule(0, step, modulo, lowest) if modulo >= 2 else None


def _started(
    steps: Sequence[ObservedStep],
    counting: Sequence[Entry],
    rule: CounterRule,
    runs: Sequence[Run],
    slots: list[Slot],
    followers: list[Slot],
    pairs: Sequence[tuple[int, int, int]],
    gaps: Gaps,
) -> FoundCounter:
    sure: list[int] = []
    perhaps: list[int] = []
    done = set()
    by_shape = {steps[slot.step].shape: slot for slot in slots}
    for seen, slot in counting:
        if seen.run in done:
            continue
        done.add(seen.run)
        if runs[seen.run].started:
            value, before = gaps.first(seen, by_shape)
            if not _leads_to(rule, value, slot.value(seen), seen.at):
                value, before = slot.value(seen), gaps.before(seen)
            (perhaps if before else sure).append(value)
    # that two recordings have lost the first message, and begin with the same value nevertheless, is unlikely
    tally = Tally(perhaps)
    starts = sure or [value for value in [min(tally, default=0)] if tally[value] >= 2]
    start = starts[0] if starts else 0
    wrapped = any(b < a for a, b, holes in pairs if not holes)
    return FoundCounter(replace(rule, start=start), slots, followers, bool(starts), starts, wrapped)


def _leads_to(rule: CounterRule, first: int, value: int, steps: int) -> bool:
    for _ in range(min(steps, 64)):
        if first == value:
            return True
        first = rule.after(first)
    return first == value


def counter_field(slot: Slot, name: str, advance: bool) -> Counter:
    return Counter(name, advance, slot.width, slot.big)
