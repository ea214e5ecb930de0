"""What an operation gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nikon_mcn10_driver.ptp import DataType, ResponseCode, Writer


@dataclass(frozen=True)
class Answer:
    """A response; ``data`` None means that there is no data phase to the host."""

    code: int = ResponseCode.OK
    params: tuple[int, ...] = ()
    data: bytes | None = None

    @classmethod
    def array(cls, kind: DataType, items: Sequence[int]) -> Answer:
        """A successful response with an array as its data."""
        return cls(data=Writer().array(kind, items).done())
