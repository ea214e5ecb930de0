"""Parameters that the tests of parameters share."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import ParamError, group, param


@dataclass(frozen=True)
class Range:
    low: float = param(0.2, "Lower end", low=0.0, high=1.0)
    high: float = param(0.8, "Upper end", low=0.0, high=1.0)

    def check(self) -> None:
        if self.low > self.high:
            raise ParamError("range.low must not exceed range.high")


@dataclass(frozen=True)
class Params:
    rate: float = param(30.0, "Frames a second", unit="Hz", low=1.0, high=120.0)
    count: int = param(3, "How many", low=0, high=10)
    mode: str = param("auto", "Which way", choices=("auto", "left"))
    active: bool = param(True, "Whether")
    size: tuple[int, ...] = param((640, 384), "Width and height", low=32, high=4096)
    words: tuple[str, ...] = param(("a",), "Any number of words")
    range: Range = group(Range)
