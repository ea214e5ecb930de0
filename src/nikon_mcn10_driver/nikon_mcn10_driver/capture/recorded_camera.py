"""A camera made from a recording: it answers as the recorded one did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..ptp import DeviceInfo, Event, OperationCode, ResponseCode
from ..transport import Reply, TransportError
from .runs import Run
from .transactions import LOST, Transaction

_SESSION_OPERATIONS = frozenset(
    (OperationCode.OPEN_SESSION, OperationCode.CLOSE_SESSION, OperationCode.GET_DEVICE_INFO)
)


class PlayedTime:
    """A clock that moves only when a caller waits."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Sent:
    """What the driver sent, and when."""

    time: float
    operation: int
    params: tuple[int, ...]
    data: bytes | None


class RecordedCamera:
    """A transport to a camera that answers as in one run, and as in the ``others`` where that has lost an answer.

    ``sent``: without opening and closing.
    """

    name = "recording"

    def __init__(self, run: Run, others: Sequence[Run], info: DeviceInfo, time: PlayedTime) -> None:
        self.written_at = 0.0
        self.sent: list[Sent] = []
        self._info = info.encode()
        self._time = time
        self._answers: dict[int, list[tuple[int, Transaction]]] = defaultdict(list)
        for i, transaction in enumerate(run.transactions):
            self._answers[transaction.operation].append((i, transaction))
        self.borrowed = False
        """Whether an answer came from another run: what repeats it cannot be compared."""
        self._elsewhere: dict[int, Transaction] = {}
        for transaction in (t for other in others for t in other.transactions):
            if transaction.reply or transaction.operation not in self._elsewhere:
                self._elsewhere[transaction.operation] = transaction
        self.at = 0
        """Index of the recorded transaction from which on the next answers are taken."""

    def connect(self) -> None: ...

    def transact(
        self,
        code: int,
        transaction_id: int,
        params: Sequence[int] = (),
        data_out: bytes | None = None,
        timeout: float = 3.0,
    ) -> Reply:
        if code == OperationCode.GET_DEVICE_INFO and transaction_id == 0:
            return Reply(ResponseCode.OK, (), self._info)
        if code in _SESSION_OPERATIONS and code not in self._answers:
            return Reply(ResponseCode.OK)
        self.sent.append(Sent(self._time.at, code, tuple(params), data_out))
        self._time.at += 0.001
        elsewhere = self._elsewhere.get(code)
        if elsewhere is None:
            raise TransportError(f"the driver sends 0x{code:04X}, which the recordings never had")
        known = self._answers.get(code, [(-1, elsewhere)])
        at, answer = next((entry for entry in known if entry[0] >= self.at), known[-1])
        self.at = max(self.at, at + 1)
        if elsewhere.reply and not answer.reply:
            answer, self.borrowed = elsewhere, True
        code = ResponseCode.OK if answer.response == LOST else answer.response
        return Reply(code, answer.response_params, answer.reply)

    def events(self) -> list[Event]:
        return []

    def reset(self) -> bool:
        return False

    def interrupt(self) -> None: ...

    def close(self) -> None: ...
