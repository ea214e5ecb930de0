"""An MCAP file that is complete on disk after every flush, index included.

A recorder can be killed at any moment. Ordinary writers put the index at the end when they are closed, and what
they leave behind when killed opens only after a repair. Here each flush writes one chunk over the previous
index and a new index behind it, in one call, so that any reader opens the file as it stands.

Format: https://mcap.dev/spec (profile ``ros2``, chunks without compression: images are JPEG already).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAGIC = b"\x89MCAP0\r\n"
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = 1, 2, 3, 4, 5, 6, 7, 8
STATISTICS, METADATA, METADATA_INDEX, SUMMARY_OFFSET, DATA_END = 11, 12, 13, 14, 15

_MESSAGE_HEAD = struct.Struct("<BQHIQQ")
_U64 = struct.Struct("<Q")


def record(opcode: int, content: bytes) -> bytes:
    return bytes((opcode,)) + _U64.pack(len(content)) + content


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<I", len(data)) + data


def _block(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def _map(values: Mapping[str, str]) -> bytes:
    return _block(b"".join(_text(key) + _text(value) for key, value in values.items()))


@dataclass
class ChunkEntry:
    """What the index says of one chunk; offsets from the start of the file, times in nanoseconds."""

    start_time: int
    end_time: int
    offset: int
    length: int
    index_offsets: dict[int, int]
    index_length: int
    size: int
    stored_size: int
    compression: str = ""

    def record(self) -> bytes:
        offsets = b"".join(struct.pack("<HQ", channel, offset) for channel, offset in self.index_offsets.items())
        return record(
            CHUNK_INDEX,
            struct.pack("<QQQQ", self.start_time, self.end_time, self.offset, self.length)
            + _block(offsets)
            + struct.pack("<Q", self.index_length)
            + _text(self.compression)
            + struct.pack("<QQ", self.stored_size, self.size),
        )


@dataclass
class McapIndex:
    """Everything that the summary at the end of a file holds."""

    schemas: dict[int, bytes] = field(default_factory=dict)
    channels: dict[int, bytes] = field(default_factory=dict)
    chunks: list[ChunkEntry] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    metadata: list[bytes] = field(default_factory=list)
    start_time: int = 0
    end_time: int = 0

    @property
    def messages(self) -> int:
        return sum(self.counts.values())

    def covers(self, start: int, end: int) -> None:
        """Takes a time span of messages into account."""
        self.start_time = min(start, self.start_time) if self.end_time else start
        self.end_time = max(end, self.end_time)

    def ending(self, position: int) -> bytes:
        """Data end, summary, footer and magic, for a file whose data ends at ``position``."""
        parts = [record(DATA_END, struct.pack("<I", 0))]
        position += len(parts[0])
        start = position
        offsets: list[bytes] = []
        statistics = struct.pack(
            "<QHIIIIQQ",
            self.messages,
            len(self.schemas),
            len(self.channels),
            0,
            len(self.metadata),
            len(self.chunks),
            self.start_time,
            self.end_time,
        ) + _block(b"".join(struct.pack("<HQ", channel, count) for channel, count in self.counts.items()))
        groups: list[tuple[int, list[bytes]]] = [
            (SCHEMA, list(self.schemas.values())),
            (CHANNEL, list(self.channels.values())),
            (STATISTICS, [record(STATISTICS, statistics)]),
            (CHUNK_INDEX, [chunk.record() for chunk in self.chunks]),
            (METADATA_INDEX, self.metadata),
        ]
        for opcode, records in groups:
            if records:
                data = b"".join(records)
                offsets.append(record(SUMMARY_OFFSET, struct.pack("<BQQ", opcode, position, len(data))))
                parts.append(data)
                position += len(data)
        parts += offsets
        footer = struct.pack("<BQQQ", FOOTER, 20, start, position)
        crc = zlib.crc32(footer, zlib.crc32(b"".join(parts[1:])))
        parts += [footer, struct.pack("<I", crc), MAGIC]
        return b"".join(parts)


class McapFile:
    """Appends ROS 2 messages to a new MCAP file. Not thread-safe. Raises ``FileExistsError`` where one exists.

    Messages are gathered by :meth:`add`; :meth:`flush` makes them permanent. ``OSError`` (disk full) from
    :meth:`flush` leaves what was flushed before readable.
    """

    def __init__(self, path: Path, library: str = "face_af") -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._index = McapIndex()
        self._fresh: list[bytes] = []
        self._unsaved: list[bytes] = []
        self._sequences: dict[int, int] = {}
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._pending_index: dict[int, list[tuple[int, int]]] = {}
        self._pending_first = self._pending_last = 0
        start = MAGIC + record(HEADER, _text("ros2") + _text(library))
        self._data_end = len(start)
        self._write(0, [start, self._index.ending(self._data_end)])

    @property
    def size(self) -> int:
        """Bytes of messages so far, unflushed ones included."""
        return self._data_end + self._pending_size

    @property
    def index(self) -> McapIndex:
        return self._index

    def add_channel(self, topic: str, type_name: str, definition: str, qos: str = "", encoding: str = "ros2msg") -> int:
        """A topic with its message definition (text as in MCAP's ``ros2msg``); returns its id for :meth:`add`."""
        schema = next((i for i, data in self._index.schemas.items() if _schema_name(data) == type_name), 0)
        if not schema:
            schema = len(self._index.schemas) + 1
            data = struct.pack("<H", schema) + _text(type_name) + _text(encoding) + _block(definition.encode())
            self._index.schemas[schema] = record(SCHEMA, data)
            self._fresh.append(self._index.schemas[schema])
        channel = len(self._index.channels) + 1
        data = struct.pack("<HH", channel, schema) + _text(topic) + _text("cdr")
        self._index.channels[channel] = record(CHANNEL, data + _map({"offered_qos_profiles": qos}))
        self._fresh.append(self._index.channels[channel])
        self._index.counts[channel] = 0
        return channel

    def add_metadata(self, name: str, values: Mapping[str, str]) -> None:
        """A named table of texts (versions, settings), written at once."""
        self.flush()
        data = record(METADATA, _text(name) + _map(values))
        at = self._data_end
        self._index.metadata.append(record(METADATA_INDEX, struct.pack("<QQ", at, len(data)) + _text(name)))
        self._write(at, [data, self._index.ending(at + len(data))])
        self._data_end += len(data)

    def add(self, channel: int, log_time: int, publish_time: int, data: bytes) -> None:
        """One serialized message; times in nanoseconds. On disk after the next :meth:`flush`."""
        if not self._pending_index:
            self._pending_first = self._pending_last = log_time
        if self._fresh:
            # a topic is described before its first message, for readers without the index
            self._pending += self._fresh
            self._pending_size += sum(len(part) for part in self._fresh)
            self._unsaved += self._fresh
            self._fresh = []
        sequence = self._sequences[channel] = self._sequences.get(channel, 0) + 1
        self._pending_index.setdefault(channel, []).append((log_time, self._pending_size))
        self._pending.append(_MESSAGE_HEAD.pack(MESSAGE, 22 + len(data), channel, sequence, log_time, publish_time))
        self._pending.append(data)
        self._pending_size += _MESSAGE_HEAD.size + len(data)
        self._pending_first = min(self._pending_first, log_time)
        self._pending_last = max(self._pending_last, log_time)

    def flush(self, sync: bool = False) -> None:
        """Puts what was added on disk as one chunk with a new index; ``sync``: and waits for the device."""
        if self._pending_index:
            crc = 0
            for part in self._pending:
                crc = zlib.crc32(part, crc)
            first, last, size = self._pending_first, self._pending_last, self._pending_size
            head = struct.pack("<QQQI", first, last, size, crc) + _text("") + _U64.pack(size)
            opening = struct.pack("<BQ", CHUNK, len(head) + size) + head
            indexes: list[bytes] = []
            offsets: dict[int, int] = {}
            length = len(opening) + size
            position = self._data_end + length
            for channel, entries in self._pending_index.items():
                packed = b"".join(struct.pack("<QQ", *entry) for entry in entries)
                offsets[channel] = position
                indexes.append(record(MESSAGE_INDEX, struct.pack("<H", channel) + _block(packed)))
                position += len(indexes[-1])
            tail = position - self._data_end - length
            self._index.chunks.append(ChunkEntry(first, last, self._data_end, length, offsets, tail, size, size))
            self._index.covers(first, last)
            for channel, entries in self._pending_index.items():
                self._index.counts[channel] += len(entries)
            try:
                self._write(self._data_end, [opening, *self._pending, *indexes, self._index.ending(position)])
            except OSError:
                self._fresh = self._unsaved + self._fresh
                self._index.chunks.pop()
                for channel, entries in self._pending_index.items():
                    self._index.counts[channel] -= len(entries)
                self._restore_ending()
                raise
            finally:
                self._pending, self._pending_index, self._pending_size, self._unsaved = [], {}, 0, []
            self._data_end = position
        if sync:
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Flushes and closes; a second call does nothing."""
        if self._fd >= 0:
            try:
                self.flush()
            finally:
                os.close(self._fd)
                self._fd = -1

    def _restore_ending(self) -> None:
        """After a failed write: the previous end of the file again, over the part that was written."""
        try:
            self._write(self._data_end, [self._index.ending(self._data_end)])
        except OSError:
            pass  # the next reader repairs it

    def _write(self, position: int, parts: Iterable[bytes]) -> None:
        waiting = [part for part in parts if part]
        end = position
        while waiting:
            written = os.pwritev(self._fd, waiting[:512], end)
            end += written
            while waiting and written >= len(waiting[0]):
                written -= len(waiting.pop(0))
            if written:
                waiting[0] = waiting[0][written:]
        os.ftruncate(self._fd, end)


def _schema_name(data: bytes) -> str:
    (length,) = struct.unpack_from("<I", data, 11)
    return data[15 : 15 + length].decode()
