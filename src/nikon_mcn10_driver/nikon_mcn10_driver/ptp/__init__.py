"""The Picture Transfer Protocol's wire format: bytes to values and back, with no transport and no state.

Every decoder takes untrusted bytes. It either returns a value or raises :class:`FormatError`, in time and memory
bounded by the length of its input.
"""

from .codec import DataType, FormatError, Reader, Writer
from .codes import EventCode, OperationCode, PropertyCode, ResponseCode, name_of
from .container import Container, ContainerAssembler, ContainerType
from .datasets import DeviceInfo, EnumForm, ObjectInfo, PropertyDescription, RangeForm, StorageInfo
from .nikon import Event, LiveViewBox, LiveViewHeader, decode_events, decode_events_ex, encode_events, encode_events_ex

__all__ = [
    "Container",
    "ContainerAssembler",
    "ContainerType",
    "DataType",
    "DeviceInfo",
    "EnumForm",
    "Event",
    "EventCode",
    "FormatError",
    "LiveViewBox",
    "LiveViewHeader",
    "ObjectInfo",
    "OperationCode",
    "PropertyCode",
    "PropertyDescription",
    "RangeForm",
    "Reader",
    "ResponseCode",
    "StorageInfo",
    "Writer",
    "decode_events",
    "decode_events_ex",
    "encode_events",
    "encode_events_ex",
    "name_of",
]
