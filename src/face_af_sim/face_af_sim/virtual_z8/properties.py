"""The virtual Z8's properties: a plausible selection with the types, forms and values of the body's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nikon_mcn10_driver.ptp import (
    DataType,
    EnumForm,
    FormatError,
    PropertyCode,
    PropertyDescription,
    RangeForm,
    Reader,
    ResponseCode,
    Writer,
)
from nikon_mcn10_driver.ptp.codec import Value

from .answer import Answer

LIVE_VIEW_SELECTOR = 0xD1A6
RECORDING_MEDIA = 0xD10B
EXPOSURE_TIME_NIKON = 0xD100

_P, _R, _T = PropertyCode, ResponseCode, DataType

_F_NUMBERS = (280, 320, 350, 400, 450, 500, 560, 630, 710, 800, 900, 1000, 1100, 1300, 1400, 1600, 1800, 2000, 2200)
_TIMES = (1, 2, 4, 8, 10, 20, 40, 50, 80, 100, 125, 166, 200, 333, 500, 1000, 2000, 5000, 10000)
_ISO = (64, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600)
_EXPOSURE_BIAS = tuple(range(-5000, 5001, 1000))


def _enum(
    code: int, kind: DataType, value: Value, values: tuple[Value, ...], writable: bool = True
) -> PropertyDescription:
    return PropertyDescription(code, kind, writable, value, value, EnumForm(values))


def _plain(code: int, kind: DataType, value: Value) -> PropertyDescription:
    return PropertyDescription(code, kind, False, value, value)


def z8_properties() -> dict[int, PropertyDescription]:
    """Every property by its code, as after switching on."""
    table = (
        PropertyDescription(_P.BATTERY_LEVEL, _T.UINT8, False, 100, 87, RangeForm(1, 100, 1)),
        _enum(_P.IMAGE_SIZE, _T.STRING, "8256x5504", ("8256x5504", "6192x4128", "4128x2752")),
        _enum(_P.COMPRESSION, _T.UINT8, 2, (0, 1, 2, 3, 4, 7, 8)),
        _enum(_P.WHITE_BALANCE, _T.UINT16, 2, (2, 4, 5, 6, 7, 0x8010, 0x8011, 0x8012)),
        _enum(_P.F_NUMBER, _T.UINT16, 400, _F_NUMBERS),
        _plain(_P.FOCAL_LENGTH, _T.UINT32, 8500),
        _enum(_P.FOCUS_MODE, _T.UINT16, 0x8011, (1, 0x8010, 0x8011, 0x8012, 0x8013), writable=False),
        _enum(_P.EXPOSURE_METERING, _T.UINT16, 3, (2, 3, 4, 0x8010)),
        _enum(_P.EXPOSURE_TIME, _T.UINT32, 80, _TIMES),
        _enum(_P.EXPOSURE_PROGRAM, _T.UINT16, 1, (1, 2, 3, 4), writable=False),
        _enum(_P.EXPOSURE_INDEX, _T.UINT16, 400, _ISO),
        _enum(_P.EXPOSURE_BIAS, _T.INT16, 0, _EXPOSURE_BIAS),
        PropertyDescription(_P.DATE_TIME, _T.STRING, True, "20260101T120000", "20260101T120000"),
        _enum(_P.STILL_CAPTURE_MODE, _T.UINT16, 1, (1, 2, 0x8010, 0x8011)),
        PropertyDescription(EXPOSURE_TIME_NIKON, _T.UINT32, False, 0x0001007D, 0x0001007D),
        _enum(_P.NIKON_AF_AREA_MODE, _T.UINT8, 12, (0, 2, 10, 11, 12, 13, 14)),
        _enum(_P.NIKON_AF_MODE, _T.UINT8, 1, (0, 1, 3, 4)),
        _enum(RECORDING_MEDIA, _T.UINT8, 0, (0, 1)),
        _plain(_P.NIKON_LIVE_VIEW_STATUS, _T.UINT8, 0),
        _plain(_P.NIKON_LIVE_VIEW_PROHIBIT, _T.UINT32, 0),
        _enum(LIVE_VIEW_SELECTOR, _T.UINT8, 1, (0, 1)),
        _enum(_P.NIKON_MOVIE_AF_AREA_MODE, _T.UINT8, 12, (0, 2, 10, 11, 12, 13, 14)),
        _enum(_P.NIKON_MOVIE_AF_MODE, _T.UINT8, 2, (0, 1, 2, 4)),
        _enum(_P.NIKON_SUBJECT_DETECTION, _T.UINT8, 2, (0, 1, 2, 3, 4, 5)),
        _enum(_P.NIKON_MOVIE_SUBJECT_DETECTION, _T.UINT8, 2, (0, 1, 2, 3, 4, 5)),
    )
    return {entry.code: entry for entry in table}


class Properties:
    """A body's properties. ``on_change``: gets the code of each that the host writes or somebody turns."""

    def __init__(self, on_change: Callable[[int], None]) -> None:
        self._entries = z8_properties()
        self._on_change = on_change

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(self._entries)

    def set(self, code: int, value: Value) -> None:
        """The body changes it by itself, which it does not report."""
        self._entries[code] = replace(self._entries[code], value=value)

    def turn(self, code: int, value: Value) -> None:
        """The photographer changes it."""
        self.set(code, value)
        self._on_change(code)

    def describe(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._entries.get(params[0]) if params else None
        if found is None:
            return Answer(_R.DEVICE_PROP_NOT_SUPPORTED)
        return Answer(data=found.encode(wide=found.code > 0xFFFF))

    def read(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._entries.get(params[0]) if params else None
        if found is None:
            return Answer(_R.DEVICE_PROP_NOT_SUPPORTED)
        return Answer(data=Writer().value(found.type, found.value).done())

    def write(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._entries.get(params[0]) if params else None
        if found is None:
            return Answer(_R.DEVICE_PROP_NOT_SUPPORTED)
        if not found.writable:
            return Answer(_R.ACCESS_DENIED)
        try:
            reader = Reader(data)
            value = reader.value(found.type)
            reader.end()
        except FormatError:
            return Answer(_R.INVALID_DEVICE_PROP_FORMAT)
        if not found.allows(value):
            return Answer(_R.INVALID_DEVICE_PROP_VALUE)
        self.turn(found.code, value)
        return Answer()
