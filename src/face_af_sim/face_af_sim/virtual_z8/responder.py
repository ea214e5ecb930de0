"""The camera's side of PTP: what each operation does, whichever transport it came by."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from face_af_common.types import ActionKind
from nikon_mcn10_driver.ptp import (
    DataType,
    DeviceInfo,
    Event,
    EventCode,
    FormatError,
    OperationCode,
    PropertyCode,
    ResponseCode,
    encode_events,
    encode_events_ex,
)
from nikon_mcn10_driver.ptp.codes import NIKON_EXTENSION

from ..controls import CameraControls
from . import remote_codes
from .answer import Answer
from .card import JPEG_FORMAT, STORAGE, Card
from .faults import FaultKind, Faults
from .grip import GripEar
from .live_view import live_view_header, whole_size
from .operation_codes import UNPAIRED_OPERATIONS, Z9_OPERATIONS
from .properties import Properties

_O, _R = OperationCode, ResponseCode

_OBJECT_ADDED_IN_SDRAM = 0xC101
_MAX_EVENTS = 64


Handler = Callable[[tuple[int, ...], bytes], Answer]
"""Takes the operation's parameters and the data that came with it."""


class VirtualZ8:
    """One virtual camera. Transports call :meth:`handle`; thread-safe.

    ``controls``: the body behind the wire. ``faults``: what shall go wrong. ``paired``: whether the host may control
    it. ``grip``: listens to a grip of other codes than the simulator's own. ``on_event``: where events go beside the
    list that GetEvent returns (the transport sets it).
    """

    def __init__(
        self,
        controls: CameraControls,
        *,
        serial: str = "SIM0000451",
        firmware: str = "V2.00",
        faults: Faults | None = None,
        paired: bool = True,
        grip: GripEar | None = None,
    ) -> None:
        self._controls = controls
        self.faults = faults or Faults()
        self.on_event: Callable[[Event], None] | None = None
        self._lock = threading.RLock()
        self._firmware = firmware
        self.serial = serial
        self._properties = Properties(lambda code: self.emit(EventCode.DEVICE_PROP_CHANGED, code))
        self.session_id = 0
        self.attached = False
        self._live = False
        self._ready = int(_R.OK)
        self._busy_polls = 0
        self._events: deque[Event] = deque(maxlen=_MAX_EVENTS)
        self.card = Card()
        self.heartbeats = 0
        self.shutter_down = False
        """As the body sees it: also after the host has gone without letting go."""
        self.images = 0
        """Taken with the remote grip."""
        self._grip = grip
        self._handlers = self._operation_handlers() | ({} if grip is not None else self._remote_handlers())
        known = {*Z9_OPERATIONS, *self._handlers, *(grip.operations if grip is not None else ())}
        self._operations = tuple(sorted(known)) if paired else UNPAIRED_OPERATIONS

    def _operation_handlers(self) -> dict[int, Handler]:
        """What the camera does at each operation of its own."""
        return {
            _O.GET_DEVICE_INFO: self._device_info,
            _O.OPEN_SESSION: self._open_session,
            _O.CLOSE_SESSION: self._close_session,
            _O.GET_STORAGE_IDS: lambda p, d: Answer.array(DataType.UINT32, (STORAGE,)),
            _O.GET_STORAGE_INFO: self.card.storage_info,
            _O.GET_NUM_OBJECTS: lambda p, d: Answer(params=(len(self.card.handles),)),
            _O.GET_OBJECT_HANDLES: lambda p, d: Answer.array(DataType.UINT32, self.card.handles),
            _O.GET_OBJECT_INFO: self.card.object_info,
            _O.GET_OBJECT: self.card.object,
            _O.GET_PARTIAL_OBJECT: self.card.partial_object,
            _O.GET_THUMB: self.card.object,
            _O.DELETE_OBJECT: self.card.delete_object,
            _O.INITIATE_CAPTURE: lambda p, d: self._capture(sdram=False, focus=False),
            _O.GET_DEVICE_PROP_DESC: self._properties.describe,
            _O.GET_DEVICE_PROP_VALUE: self._properties.read,
            _O.SET_DEVICE_PROP_VALUE: self._properties.write,
            _O.NIKON_GET_DEVICE_PROP_DESC_EX: self._properties.describe,
            _O.NIKON_GET_DEVICE_PROP_VALUE_EX: self._properties.read,
            _O.NIKON_SET_DEVICE_PROP_VALUE_EX: self._properties.write,
            _O.NIKON_GET_PROPERTY_LIST_EX: lambda p, d: Answer.array(DataType.UINT32, self._properties.codes),
            _O.NIKON_INITIATE_CAPTURE_IN_SDRAM: lambda p, d: self._capture(sdram=True, focus=False),
            _O.NIKON_AF_CAPTURE_IN_SDRAM: lambda p, d: self._capture(sdram=True, focus=True),
            _O.NIKON_INITIATE_CAPTURE_IN_MEDIA: self._capture_in_media,
            _O.NIKON_TERMINATE_CAPTURE: lambda p, d: Answer(),
            _O.NIKON_AF_DRIVE: self._af_drive,
            _O.NIKON_AF_DRIVE_CANCEL: lambda p, d: self._now(_R.OK),
            _O.NIKON_MF_DRIVE: lambda p, d: Answer() if self._live else Answer(_R.NIKON_NOT_LIVE_VIEW),
            _O.NIKON_CHANGE_CAMERA_MODE: lambda p, d: (
                Answer() if p[:1] in ((0,), (1,)) else Answer(_R.INVALID_PARAMETER)
            ),
            _O.NIKON_CHANGE_APPLICATION_MODE: lambda p, d: (
                Answer() if p[:1] in ((0,), (1,)) else Answer(_R.INVALID_PARAMETER)
            ),
            _O.NIKON_DEVICE_READY: self._device_ready,
            _O.NIKON_GET_EVENT: lambda p, d: Answer(
                data=encode_events([Event(e.code, e.params[:1]) for e in self._take_events()])
            ),
            _O.NIKON_GET_EVENT_EX: lambda p, d: Answer(data=encode_events_ex(self._take_events())),
            _O.NIKON_START_LIVE_VIEW: lambda p, d: self._set_live(True),
            _O.NIKON_END_LIVE_VIEW: lambda p, d: self._set_live(False),
            _O.NIKON_GET_LIVE_VIEW_IMAGE: self._live_view_image,
            _O.NIKON_GET_LIVE_VIEW_IMAGE_EX: self._live_view_image,
            _O.NIKON_CHANGE_AF_AREA: self._change_af_area,
            _O.NIKON_START_TRACKING: self._change_af_area,
            _O.NIKON_END_TRACKING: lambda p, d: Answer(),
        }

    def _remote_handlers(self) -> dict[int, Handler]:
        """The operations of the simulator's own grip."""
        return {
            remote_codes.ATTACH: self._attach,
            remote_codes.HEARTBEAT: self._heartbeat,
            remote_codes.BUTTON: self._button,
        }

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo(
            "Nikon Corporation",
            "Z 8",
            self._firmware,
            self.serial,
            operations=self._operations,
            events=tuple(EventCode),
            properties=tuple(code for code in self._properties.codes if code <= 0xFFFF),
            capture_formats=(JPEG_FORMAT,),
            image_formats=(0x3000, 0x3001, JPEG_FORMAT),
            vendor_extension=NIKON_EXTENSION,
        )

    def handle(self, operation: int, transaction: int, params: tuple[int, ...] = (), data: bytes = b"") -> Answer:
        """Carries out one operation. Never raises for what a client may send."""
        with self._lock:
            if operation == _O.OPEN_SESSION and self.faults.take(FaultKind.SESSION_OPEN):
                self.session_id = self.session_id or 1
                return Answer(_R.SESSION_ALREADY_OPEN)
            if self.faults.take(FaultKind.BUSY, operation):
                return Answer(_R.DEVICE_BUSY)
            fault = self.faults.take(FaultKind.ERROR, operation)
            if fault is not None:
                return Answer(fault.value)
            if transaction == 0xFFFFFFFF:
                return Answer(_R.INVALID_TRANSACTION_ID)
            if not self.session_id and operation not in (_O.GET_DEVICE_INFO, _O.OPEN_SESSION):
                return Answer(_R.SESSION_NOT_OPEN)
            if self._grip is not None and operation in self._grip.operations and operation in self._operations:
                return self._hear(self._grip, operation, transaction, params, data)
            handler = self._handlers.get(operation) if operation in self._operations else None
            if handler is None:
                return Answer(_R.OPERATION_NOT_SUPPORTED)
            try:
                return handler(params, data)
            except FormatError:
                return Answer(_R.INVALID_PARAMETER)

    def _hear(self, grip: GripEar, operation: int, transaction: int, params: tuple[int, ...], data: bytes) -> Answer:
        answer, button = grip.hear(operation, transaction, params, data)
        if button is not None and not self.faults.take(FaultKind.LOST_PRESS):
            self._controls.press(button)
        return answer

    def takes_data(self, operation: int) -> bool:
        """Whether the host sends data with that operation; USB does not say so in the command."""
        if self._grip is not None and operation in self._grip.operations:
            return self._grip.takes_data(operation)
        return operation in (_O.SET_DEVICE_PROP_VALUE, _O.NIKON_SET_DEVICE_PROP_VALUE_EX)

    def end_session(self) -> None:
        """The host is gone, or has reset the device."""
        with self._lock:
            self.session_id = 0
            self.attached = False
            self._set_live(False)
            self._events.clear()

    def emit(self, code: int, *params: int) -> None:
        """An event, to the event channel and to the list that GetEvent returns."""
        with self._lock:
            event = Event(code, params)
            if not self.session_id:
                return
            self._events.append(event)
            if self.on_event is not None:
                self.on_event(event)

    def set_property(self, code: int, value: int | str) -> None:
        """Turns a dial on the body: the property changes, and the host is told."""
        with self._lock:
            self._properties.turn(code, value)

    def _take_events(self) -> list[Event]:
        events = list(self._events)
        self._events.clear()
        return events

    def _device_info(self, params: tuple[int, ...], data: bytes) -> Answer:
        return Answer(data=self.info.encode())

    def _open_session(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not params or params[0] == 0:
            return Answer(_R.INVALID_PARAMETER)
        if self.session_id:
            return Answer(_R.SESSION_ALREADY_OPEN, (self.session_id,))
        self.session_id = params[0]
        if self._grip is not None:
            self._grip.open()
        return Answer()

    def _close_session(self, params: tuple[int, ...], data: bytes) -> Answer:
        self.end_session()
        return Answer()

    def _capture_in_media(self, params: tuple[int, ...], data: bytes) -> Answer:
        if len(params) < 2 or params[1] not in (0, 1):
            return Answer(_R.INVALID_PARAMETER)
        return self._capture(sdram=params[1] == 1, focus=params[0] == 0xFFFFFFFE)

    def _capture(self, sdram: bool, focus: bool) -> Answer:
        if self._busy_polls:
            return Answer(_R.DEVICE_BUSY)
        if focus and not self._controls.af_drive():
            return self._now(_R.NIKON_OUT_OF_FOCUS)
        view = self._controls.live_view()
        if view is None:
            return Answer(_R.STORE_NOT_AVAILABLE)
        handle = self.card.keep(view, sdram)
        self.emit(_OBJECT_ADDED_IN_SDRAM if sdram else EventCode.OBJECT_ADDED, handle)
        self.emit(EventCode.CAPTURE_COMPLETE, 0)
        return self._later(_R.OK)

    def _af_drive(self, params: tuple[int, ...], data: bytes) -> Answer:
        return self._later(_R.OK if self._controls.af_drive() else _R.NIKON_OUT_OF_FOCUS)

    def _later(self, outcome: int) -> Answer:
        """The camera takes the operation and works; DeviceReady tells the outcome."""
        self._ready, self._busy_polls = outcome, 2
        return Answer()

    def _now(self, outcome: int) -> Answer:
        self._ready, self._busy_polls = _R.OK, 0
        return Answer(outcome)

    def _device_ready(self, params: tuple[int, ...], data: bytes) -> Answer:
        if self._busy_polls:
            self._busy_polls -= 1
            return Answer(_R.DEVICE_BUSY)
        outcome, self._ready = self._ready, _R.OK
        return Answer(outcome)

    def _set_live(self, on: bool) -> Answer:
        self._live = on
        self._properties.set(PropertyCode.NIKON_LIVE_VIEW_STATUS, int(on))
        return self._later(_R.OK) if on else self._now(_R.OK)

    def _live_view_image(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not self._live:
            return Answer(_R.NIKON_NOT_LIVE_VIEW)
        view = self._controls.live_view()
        if view is None:
            return Answer(_R.DEVICE_BUSY)
        return Answer(data=live_view_header(view).encode() + view.jpeg)

    def _change_af_area(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not self._live:
            return Answer(_R.NIKON_NOT_LIVE_VIEW)
        view = self._controls.live_view()
        if view is None:
            return Answer(_R.DEVICE_BUSY)
        width, height = whole_size(view)
        if len(params) < 2 or params[0] >= width or params[1] >= height:
            return Answer(_R.INVALID_PARAMETER)
        self._controls.set_af_area(params[0] / width, params[1] / height)
        return Answer()

    def _attach(self, params: tuple[int, ...], data: bytes) -> Answer:
        if params[:1] not in ((0,), (1,)):
            return Answer(_R.INVALID_PARAMETER)
        self.attached = params[0] == 1
        return Answer()

    def _heartbeat(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not self.attached:
            return Answer(_R.NIKON_INVALID_STATUS)
        self.heartbeats += 1
        return Answer()

    def _button(self, params: tuple[int, ...], data: bytes) -> Answer:
        if not self.attached:
            return Answer(_R.NIKON_INVALID_STATUS)
        if params[:1] == (remote_codes.SHUTTER,) and params[1:2] in ((0,), (1,)):
            return self._shutter(down=params[1] == 1)
        if len(params) < 2 or not ActionKind.LEFT <= params[0] <= ActionKind.FN2 or params[1] not in (0, 1):
            return Answer(_R.INVALID_PARAMETER)
        if params[1] == 1 and not self.faults.take(FaultKind.LOST_PRESS):
            self._controls.press(ActionKind(params[0]))
        return Answer()

    def _shutter(self, down: bool) -> Answer:
        taking, self.shutter_down = down and not self.shutter_down, down
        if taking:
            self.images += 1
            view = self._controls.live_view()
            if view is not None:
                self.emit(EventCode.OBJECT_ADDED, self.card.keep(view, sdram=False))
        return Answer()
