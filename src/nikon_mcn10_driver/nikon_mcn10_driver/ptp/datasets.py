"""Datasets of the standard: DeviceInfo, property descriptions, StorageInfo, ObjectInfo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .codec import DataType, FormatError, Reader, Value, Writer, data_type


@dataclass(frozen=True)
class DeviceInfo:
    """What a device says about itself (ISO 15740, 5.5.1)."""

    manufacturer: str
    model: str
    version: str
    serial: str
    operations: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    properties: tuple[int, ...] = ()
    capture_formats: tuple[int, ...] = ()
    image_formats: tuple[int, ...] = ()
    standard_version: int = 100
    vendor_extension: int = 0
    vendor_version: int = 100
    vendor_description: str = ""
    functional_mode: int = 0

    def encode(self) -> bytes:
        out = Writer().u16(self.standard_version).u32(self.vendor_extension).u16(self.vendor_version)
        out.string(self.vendor_description).u16(self.functional_mode)
        for codes in (self.operations, self.events, self.properties, self.capture_formats, self.image_formats):
            out.array(DataType.UINT16, codes)
        for text in (self.manufacturer, self.model, self.version, self.serial):
            out.string(text)
        return out.done()

    @classmethod
    def decode(cls, data: bytes) -> DeviceInfo:
        """Bytes behind the dataset are ignored: devices pad it."""
        r = Reader(data)
        standard_version, vendor_extension, vendor_version = r.u16(), r.u32(), r.u16()
        vendor_description, functional_mode = r.string(), r.u16()
        operations, events, properties, capture, image = (r.array(DataType.UINT16) for _ in range(5))
        manufacturer, model, version, serial = (r.string() for _ in range(4))
        return cls(
            manufacturer=manufacturer,
            model=model,
            version=version,
            serial=serial,
            operations=operations,
            events=events,
            properties=properties,
            capture_formats=capture,
            image_formats=image,
            standard_version=standard_version,
            vendor_extension=vendor_extension,
            vendor_version=vendor_version,
            vendor_description=vendor_description,
            functional_mode=functional_mode,
        )


@dataclass(frozen=True)
class RangeForm:
    """A property may take ``minimum`` to ``maximum`` in steps of ``step``."""

    minimum: Value
    maximum: Value
    step: Value


@dataclass(frozen=True)
class EnumForm:
    """A property may take one of these values."""

    values: tuple[Value, ...]


Form: TypeAlias = "RangeForm | EnumForm | None"


@dataclass(frozen=True)
class PropertyDescription:
    """A device property: its type, value, default and allowed values (5.5.6). Nikon has codes above 16 bits."""

    code: int
    type: DataType
    writable: bool
    default: Value
    value: Value
    form: Form = None

    def allows(self, value: Value) -> bool:
        """Whether the form permits ``value``; the step of a range is not looked at."""
        if isinstance(self.form, EnumForm):
            return value in self.form.values
        if isinstance(self.form, RangeForm) and isinstance(value, int):
            return int(self.form.minimum) <= value <= int(self.form.maximum)  # type: ignore[arg-type]
        return True

    def encode(self, wide: bool = False) -> bytes:
        """``wide``: a u32 code, as in the answer to Nikon's 0x943A."""
        out = Writer()
        (out.u32 if wide else out.u16)(self.code)
        out.u16(self.type).u8(self.writable).value(self.type, self.default).value(self.type, self.value)
        if isinstance(self.form, RangeForm):
            out.u8(1)
            for value in (self.form.minimum, self.form.maximum, self.form.step):
                out.value(self.type, value)
        elif isinstance(self.form, EnumForm):
            out.u8(2).u16(len(self.form.values))
            for value in self.form.values:
                out.value(self.type, value)
        else:
            out.u8(0)
        return out.done()

    @classmethod
    def decode(cls, data: bytes, wide: bool = False) -> PropertyDescription:
        r = Reader(data)
        code = r.u32() if wide else r.u16()
        kind = data_type(r.u16())
        writable = bool(r.u8())
        default, value = r.value(kind), r.value(kind)
        flag = r.u8()
        form: Form = None
        if flag == 1:
            form = RangeForm(r.value(kind), r.value(kind), r.value(kind))
        elif flag == 2:
            # each value takes at least one byte, so a hostile count ends with the data
            form = EnumForm(tuple(r.value(kind) for _ in range(r.u16())))
        elif flag:
            raise FormatError(f"there is no property form {flag}")
        return cls(code, kind, writable, default, value, form)


@dataclass(frozen=True)
class StorageInfo:
    """One memory card (5.5.3); sizes in bytes and pictures."""

    storage_type: int
    filesystem_type: int
    access: int
    capacity: int
    free: int
    free_images: int
    description: str
    label: str

    def encode(self) -> bytes:
        out = Writer().u16(self.storage_type).u16(self.filesystem_type).u16(self.access)
        return (
            out.u64(self.capacity)
            .u64(self.free)
            .u32(self.free_images)
            .string(self.description)
            .string(self.label)
            .done()
        )

    @classmethod
    def decode(cls, data: bytes) -> StorageInfo:
        r = Reader(data)
        return cls(r.u16(), r.u16(), r.u16(), r.u64(), r.u64(), r.u32(), r.string(), r.string())


@dataclass(frozen=True)
class ObjectInfo:
    """One object, such as a picture on a card (5.5.2); dates as ``YYYYMMDDThhmmss``."""

    storage: int
    format: int
    size: int
    filename: str
    protection: int = 0
    thumb_format: int = 0
    thumb_size: int = 0
    thumb_width: int = 0
    thumb_height: int = 0
    width: int = 0
    height: int = 0
    depth: int = 0
    parent: int = 0
    association_type: int = 0
    association: int = 0
    sequence: int = 0
    captured: str = ""
    modified: str = ""
    keywords: str = ""

    def encode(self) -> bytes:
        out = Writer().u32(self.storage).u16(self.format).u16(self.protection).u32(self.size)
        out.u16(self.thumb_format).u32(self.thumb_size).u32(self.thumb_width).u32(self.thumb_height)
        out.u32(self.width).u32(self.height).u32(self.depth).u32(self.parent)
        out.u16(self.association_type).u32(self.association).u32(self.sequence)
        for text in (self.filename, self.captured, self.modified, self.keywords):
            out.string(text)
        return out.done()

    @classmethod
    def decode(cls, data: bytes) -> ObjectInfo:
        r = Reader(data)
        storage, format, protection, size = r.u32(), r.u16(), r.u16(), r.u32()
        thumb = r.u16(), r.u32(), r.u32(), r.u32()
        picture = r.u32(), r.u32(), r.u32()
        links = r.u32(), r.u16(), r.u32(), r.u32()
        filename, captured, modified, keywords = (r.string() for _ in range(4))
        return cls(storage, format, size, filename, protection, *thumb, *picture, *links, captured, modified, keywords)
