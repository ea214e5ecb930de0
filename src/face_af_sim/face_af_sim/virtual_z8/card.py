"""The virtual camera's memory: pictures on its card, and those that wait in its SDRAM."""

from __future__ import annotations

from nikon_mcn10_driver.ptp import ObjectInfo, ResponseCode, StorageInfo

from ..controls import LiveView
from .answer import Answer

STORAGE = 0x00010001
JPEG_FORMAT = 0x3801
_FIRST_CARD_HANDLE = 0x29190001
_FIRST_SDRAM_HANDLE = 0xFFFF0001
_MAX_OBJECTS = 32
_TAKEN = "20260101T120000"

_R = ResponseCode


class Card:
    """Pictures by handle; the newest :data:`_MAX_OBJECTS` are kept. Its operations take parameters and data."""

    def __init__(self) -> None:
        self._objects: dict[int, tuple[ObjectInfo, bytes]] = {}
        self._count = 0

    @property
    def handles(self) -> tuple[int, ...]:
        """Of the pictures on the card, those in SDRAM left out."""
        return tuple(handle for handle in self._objects if handle < _FIRST_SDRAM_HANDLE)

    def keep(self, view: LiveView, sdram: bool) -> int:
        """Stores a picture; its handle."""
        self._count += 1
        name = f"DSC_{self._count % 10000:04d}.JPG"
        info = ObjectInfo(
            STORAGE, JPEG_FORMAT, len(view.jpeg), name, width=view.width, height=view.height, captured=_TAKEN
        )
        handle = (_FIRST_SDRAM_HANDLE if sdram else _FIRST_CARD_HANDLE) + (self._count & 0x7FFF)
        self._objects[handle] = info, view.jpeg
        while len(self._objects) > _MAX_OBJECTS:
            del self._objects[next(iter(self._objects))]
        return handle

    def storage_info(self, params: tuple[int, ...], data: bytes) -> Answer:
        if params[:1] != (STORAGE,):
            return Answer(_R.INVALID_STORAGE_ID)
        return Answer(data=StorageInfo(4, 3, 0, 128 << 30, 100 << 30, 2000, "", "NIKON Z 8").encode())

    def _found(self, params: tuple[int, ...]) -> tuple[ObjectInfo, bytes] | None:
        return self._objects.get(params[0]) if params else None

    def object_info(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._found(params)
        return Answer(data=found[0].encode()) if found else Answer(_R.INVALID_OBJECT_HANDLE)

    def object(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._found(params)
        return Answer(data=found[1]) if found else Answer(_R.INVALID_OBJECT_HANDLE)

    def partial_object(self, params: tuple[int, ...], data: bytes) -> Answer:
        found = self._found(params)
        if not found:
            return Answer(_R.INVALID_OBJECT_HANDLE)
        if len(params) < 3:
            return Answer(_R.INVALID_PARAMETER)
        part = found[1][params[1] : params[1] + params[2]]
        return Answer(params=(len(part),), data=part)

    def delete_object(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not params or self._objects.pop(params[0], None) is None:
            return Answer(_R.INVALID_OBJECT_HANDLE)
        return Answer()
