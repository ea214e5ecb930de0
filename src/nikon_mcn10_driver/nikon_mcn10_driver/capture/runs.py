"""What one recording holds, cut into sessions, with the marks that learning needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..ptp import OperationCode
from ..ptp.codes import BUSY
from .reader import Capture
from .transactions import LOST, Transaction, counts_up, missing_between

Shape: TypeAlias = tuple[int, int, int]
"""Operation, number of parameters, bytes of data sent (-1: no data phase)."""

QUIET = "quiet"

_REPEAT_WITHIN = 1.0
"""Seconds within which an operation that was answered "busy" is repeated."""


def shape_of(transaction: Transaction) -> Shape:
    """What stays the same of a message while its values change."""
    data = -1 if transaction.data is None else len(transaction.data)
    return transaction.operation, len(transaction.params or ()), data


@dataclass
class Run:
    """One session, or the part of one that a recording has; only transactions of which all is known that the grip sent.

    ``kind``: :data:`QUIET` or the name of a button; ``started``: it begins with OpenSession; ``holes``: index of a
    transaction -> how many are missing before it. ``busy``: seconds for which the camera was busy, the longest.
    """

    kind: str
    source: str
    transactions: list[Transaction]
    started: bool
    opened: float
    holes: dict[int, int] = field(default_factory=dict)
    busy: float = 0.0
    closed: bool = False
    """Whether it ends with CloseSession."""
    session: int = 1
    """The id given to OpenSession."""
    unsure: int = 0
    """Transactions left out because nobody knows which way their data went."""

    @property
    def lost(self) -> int:
        return sum(self.holes.values())


def runs_of(kind: str, capture: Capture) -> list[Run]:
    """The sessions of a capture, in order; pieces too short to say anything are left out."""
    counting = counts_up(capture.transactions)
    _doubt_missing_data(capture.transactions)
    found = [_run(kind, capture.name, part, counting) for part in _sessions(capture.transactions, counting)]
    return [run for run in found if len(run.transactions) >= 2]


def _doubt_missing_data(transactions: Sequence[Transaction]) -> None:
    """Where an operation nearly always has data, a message without it has lost it, and so the other way round."""
    with_data: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for t in transactions:
        with_data[t.operation, len(t.params or ())][t.data is not None] += 1
    for t in transactions:
        counted = with_data[t.operation, len(t.params or ())]
        if counted[t.data is not None] * 4 < counted[t.data is None]:
            t.damaged = True


def _sessions(transactions: Sequence[Transaction], counting: bool) -> Iterator[list[Transaction]]:
    part: list[Transaction] = []
    for transaction in transactions:
        opens = transaction.operation == OperationCode.OPEN_SESSION
        again = counting and part and transaction.tid < part[-1].tid
        if part and (opens or again):
            yield part
            part = []
        part.append(transaction)
    if part:
        yield part


def _run(kind: str, source: str, transactions: list[Transaction], counting: bool) -> Run:
    started = transactions[0].operation == OperationCode.OPEN_SESSION
    if counting and not started and transactions[0].tid == 1:
        started = True
    run = Run(kind, source, [], started, transactions[0].time)
    previous: Transaction | None = None
    missing = 0
    for i, transaction in enumerate(transactions):
        if transaction.operation == OperationCode.OPEN_SESSION:
            previous = transaction
            if transaction.params:
                run.session = transaction.params[0]
            continue
        if previous is not None and counting:
            missing += missing_between(previous, transaction)
        previous = transaction
        repeated = _repeated(transactions, i)
        if repeated:
            run.busy = max(run.busy, repeated)
            continue
        if transaction.operation == OperationCode.CLOSE_SESSION:
            run.closed = True
            break
        if not known(transaction):
            missing += 1
            run.unsure += transaction.unsure
            continue
        if missing:
            run.holes[len(run.transactions)] = missing
            missing = 0
        run.transactions.append(transaction)
    if missing:
        run.holes[len(run.transactions)] = missing
    return run


def _repeated(transactions: Sequence[Transaction], i: int) -> float:
    """Seconds after which an operation that found the camera busy was sent again; 0 when it was not."""
    now = transactions[i]
    if now.response not in BUSY or i + 1 >= len(transactions):
        return 0.0
    after = transactions[i + 1]
    same = shape_of(after) == shape_of(now) and after.time - now.time < _REPEAT_WITHIN
    return max(1e-3, after.time - now.time) if same else 0.0


def known(transaction: Transaction) -> bool:
    """Whether everything the host sent in it is known."""
    return transaction.operation != LOST and transaction.sent_whole
