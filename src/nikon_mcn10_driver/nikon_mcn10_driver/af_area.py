"""AF-area mode: put the AF area onto a point of the picture and focus there, without any remote grip."""

from __future__ import annotations

import time

from .params import AfAreaParams
from .ptp import FormatError, LiveViewHeader, OperationCode, PropertyCode, ResponseCode
from .session import PtpError, Session
from .transport import TransportError

_LIVE_VIEW_SELECTOR = 0xD1A6
"""Photo (0) or video (1), as libgphoto2 names it."""

_AF_C, _AF_F = 1, 2
_LIVE_VIEW_START = (2.0, 0.02)
_AF_DRIVE = (5.0, 0.01)
"""How long libgphoto2 polls DeviceReady, and how often, seconds."""


class AfArea:
    """ChangeAfArea in the space that the newest live-view header names, then AfDrive where the mode needs it."""

    def __init__(self, params: AfAreaParams | None = None) -> None:
        self._params = params or AfAreaParams()
        self._read_at = float("-inf")
        self._whole = (0, 0)
        self._needs_drive = True

    def move(self, session: Session, x: float, y: float, budget: float) -> float:
        """``x``, ``y`` in 0 to 1 of the picture. Returns when the area's last byte had been written, monotonic."""
        if time.monotonic() - self._read_at > self._params.refresh:
            self._read(session)
        width, height = self._whole
        point = (min(max(round(x * width), 0), width - 1), min(max(round(y * height), 0), height - 1))
        try:
            session.run(OperationCode.NIKON_CHANGE_AF_AREA, *point, busy_budget=budget)
        except PtpError:
            self._read_at = float("-inf")
            raise
        written_at = session.written_at
        if self._needs_drive:
            self._focus(session, budget)
        return written_at

    def _focus(self, session: Session, budget: float) -> None:
        session.run(OperationCode.NIKON_AF_DRIVE, busy_budget=budget)
        code = session.wait_ready(*_AF_DRIVE)
        if code == ResponseCode.DEVICE_BUSY:
            session.run(OperationCode.NIKON_AF_DRIVE_CANCEL, busy_budget=budget)
        if code != ResponseCode.OK:
            raise PtpError(OperationCode.NIKON_AF_DRIVE, code)

    def _read(self, session: Session) -> None:
        header = self._header(session)
        if min(header.whole) <= 0:
            raise TransportError("the camera's live view has no size")
        self._whole = header.whole
        drive = self._params.drive
        self._needs_drive = drive == "always" or (drive == "auto" and not self._follows(session))
        self._read_at = time.monotonic()

    def _header(self, session: Session) -> LiveViewHeader:
        operation = (
            OperationCode.NIKON_GET_LIVE_VIEW_IMAGE_EX
            if session.supports(OperationCode.NIKON_GET_LIVE_VIEW_IMAGE_EX)
            else OperationCode.NIKON_GET_LIVE_VIEW_IMAGE
        )
        reply = session.transact(operation)
        if reply.code == ResponseCode.NIKON_NOT_LIVE_VIEW:
            session.run(OperationCode.NIKON_START_LIVE_VIEW, busy_budget=1.0)
            code = session.wait_ready(*_LIVE_VIEW_START)
            if code != ResponseCode.OK:
                raise PtpError(OperationCode.NIKON_START_LIVE_VIEW, code)
            reply = session.run(operation, busy_budget=1.0)
        if reply.code != ResponseCode.OK:
            raise PtpError(operation, reply.code)
        try:
            return LiveViewHeader.decode(reply.data)
        except FormatError as error:
            raise TransportError(f"the camera's live view is broken: {error}") from error

    @staticmethod
    def _follows(session: Session) -> bool:
        def value(code: int) -> int | None:
            reply = session.transact(OperationCode.GET_DEVICE_PROP_VALUE, code)
            return reply.data[0] if reply.code == ResponseCode.OK and reply.data else None

        return value(_LIVE_VIEW_SELECTOR) == 1 and value(PropertyCode.NIKON_MOVIE_AF_MODE) in (_AF_C, _AF_F)
