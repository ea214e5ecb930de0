"""Gives a cut-off MCAP file its index back, and a bag without ``metadata.yaml`` its description.

``repair_bag`` is for bags of other recorders, and for our own after a power cut; a bag of ours whose recorder was
killed is whole already.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from face_af_common.files import regular, told, writing

from .bag_folder import FileInfo, RecordingError, TopicInfo, write_metadata
from .mcap_file import (
    CHANNEL,
    CHUNK,
    DATA_END,
    FOOTER,
    HEADER,
    MAGIC,
    MESSAGE,
    MESSAGE_INDEX,
    METADATA,
    METADATA_INDEX,
    SCHEMA,
    ChunkEntry,
    McapIndex,
    record,
)

_MAX_RECORD = 1 << 32
_MOST_LOST = 16_000_000
"""Bytes that a recorder which was stopped may have left unfinished."""
_PASSED_OVER = 0x80
"""The first of the opcodes that MCAP leaves to applications."""


@dataclass
class Scan:
    """What is whole in a file. ``data_end``: where the ending belongs; ``lost``: bytes behind it that make no sense."""

    index: McapIndex
    topics: dict[int, TopicInfo]
    data_end: int
    lost: int
    finished: bool
    damaged: list[int] = field(default_factory=list)
    """Where damaged chunks and their indexes begin, with sound records behind them."""
    message_indexes: bytes = b""
    """Of the last chunk, where they were cut off; they belong before the ending."""


def is_mcap(path: Path) -> bool:
    """Whether a file begins as an MCAP file does."""
    with regular(path).open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def is_finished(path: Path) -> bool:
    """Whether an MCAP file ends as it should."""
    try:
        with regular(path).open("rb") as file:
            # a file of nothing but its opening magic does not end yet
            return file.seek(-len(MAGIC), os.SEEK_END) > 0 and file.read() == MAGIC
    except OSError:
        return False


def scan(path: Path) -> Scan:
    """Reads an MCAP file from its start up to the first damage. :class:`RecordingError` when nothing is of use."""
    try:
        size = regular(path).stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if not start:
                raise RecordingError(f"{path} is empty")
            if start != MAGIC:
                raise RecordingError(f"{path} is not an MCAP file")
            found = _scan_records(file.fileno(), size)
            if found.data_end <= len(MAGIC):
                raise RecordingError(f"{path} was cut off before its first record: nothing is in it")
            return found
    except OSError as error:
        raise RecordingError(told(error)) from error


def repair_file(path: Path) -> str:
    """Completes a cut-off file in place; returns what was done, in a few words. A whole file is left alone.

    Damaged chunks between sound ones stay in the file, as records that readers pass over. :class:`RecordingError`
    where more would have to be cut off than a recorder that was stopped leaves behind.
    """
    found = scan(path)
    if found.finished and found.index.messages and not found.damaged:
        return f"{found.index.messages} messages, nothing to repair"
    if found.lost > _MOST_LOST:
        raise RecordingError(
            f"{path} is damaged at byte {found.data_end}; the {found.lost} behind would be lost: it is left as it is"
        )
    with writing(path), path.open("r+b") as file:
        for offset in found.damaged:
            file.seek(offset)
            file.write(bytes((_PASSED_OVER,)))
        file.seek(found.data_end)
        file.write(found.message_indexes)
        file.write(found.index.ending(found.data_end + len(found.message_indexes)))
        file.truncate()
    cut = f", {found.lost} damaged bytes cut off" if found.lost else ""
    passed = ", damaged parts are passed over" if found.damaged else ""
    return f"{found.index.messages} messages recovered{cut}{passed}"


def repair_bag(bag: Path) -> Iterator[str]:
    """Repairs every MCAP file of a bag (a folder or one file) and its ``metadata.yaml``; yields a line for each."""
    if bag.exists() and not bag.is_dir():
        yield f"{bag}: {repair_file(bag)}"
        return
    if not bag.is_dir():
        raise RecordingError(f"{bag} does not exist")
    paths = sorted(bag.glob("*.mcap"), key=_number)
    if not paths:
        raise RecordingError(f"{bag} holds no .mcap file")
    topics: dict[str, TopicInfo] = {}
    counts: dict[str, int] = {}
    files: list[FileInfo] = []
    for path in paths:
        try:
            yield f"{path}: {repair_file(path)}"
        except RecordingError as error:
            yield f"{error}; left out"
            continue
        index = (found := scan(path)).index
        for channel, topic in found.topics.items():
            topics.setdefault(topic.name, topic)
            counts[topic.name] = counts.get(topic.name, 0) + index.counts.get(channel, 0)
        files.append(FileInfo(path.name, index.start_time, index.end_time, index.messages))
    if not files:
        raise RecordingError(f"{bag}: no file could be repaired")
    write_metadata(bag, list(topics.values()), counts, files)
    yield f"{bag / 'metadata.yaml'}: written, {sum(file.messages for file in files)} messages"


def _number(path: Path) -> tuple[int, str]:
    tail = path.stem.rsplit("_", 1)[-1]
    return (int(tail) if tail.isdigit() else 0, path.name)


def _scan_records(fd: int, size: int) -> Scan:
    index, topics, position, finished = McapIndex(), dict[int, TopicInfo](), 8, False
    damaged: list[int] = []
    in_damaged = False
    while True:
        head = os.pread(fd, 9, position)
        if len(head) < 9:
            break
        opcode, length = struct.unpack("<BQ", head)
        if not _is_record(opcode, length, position, size):
            break
        if opcode == _PASSED_OVER or (in_damaged and opcode == MESSAGE_INDEX):
            damaged += [position] if opcode != _PASSED_OVER else []
            position += 9 + length
            continue
        in_damaged = False
        if opcode in (DATA_END, FOOTER):
            finished = os.pread(fd, 8, size - 8) == MAGIC
            break
        content = os.pread(fd, length, position + 9) if opcode != MESSAGE else b""
        try:
            if opcode == CHUNK:
                _add_chunk(index, topics, content, position, 9 + length)
            elif opcode == MESSAGE_INDEX:
                _add_message_index(index, content, position, 9 + length)
            elif opcode == MESSAGE:
                channel, time = struct.unpack("<H4xQ", os.pread(fd, 14, position + 9))
                index.counts[channel] = index.counts.get(channel, 0) + 1
                index.covers(time, time)
            elif opcode == METADATA:
                name = content[: 4 + struct.unpack_from("<I", content)[0]]
                index.metadata.append(record(METADATA_INDEX, struct.pack("<QQ", position, 9 + length) + name))
            elif opcode in (SCHEMA, CHANNEL):
                _add_description(index, topics, opcode, content)
            elif opcode == HEADER and _texts(content, 0, 1)[0][0] != "ros2":
                raise RecordingError("an MCAP file of another profile than ros2")
        except (struct.error, UnicodeDecodeError, ValueError, IndexError):
            following = os.pread(fd, 9, position + 9 + length)
            if opcode != CHUNK or len(following) < 9:
                break
            next_opcode, next_length = struct.unpack("<BQ", following)
            if not _is_record(next_opcode, next_length, position + 9 + length, size):
                break
            in_damaged = True
            damaged.append(position)
        position += 9 + length
    indexes = b""
    if index.chunks and not finished and position <= _end(index.chunks[-1]):
        position, indexes = _index_last_chunk(index, fd)
    lost = 0 if finished else size - position
    return Scan(index, topics, position, lost, finished, damaged, indexes)


def _is_record(opcode: int, length: int, position: int, size: int) -> bool:
    """Whether a record can begin so."""
    known = 0 < opcode <= DATA_END or opcode == _PASSED_OVER
    return known and length <= _MAX_RECORD and position + 9 + length <= size


def _add_chunk(index: McapIndex, topics: dict[int, TopicInfo], content: bytes, offset: int, length: int) -> None:
    start, end, raw_size, crc = struct.unpack_from("<QQQI", content)
    (compression,), at = _texts(content, 28, 1)
    (stored,) = struct.unpack_from("<Q", content, at)
    data = _decompressed(content[at + 8 : at + 8 + stored], compression, raw_size)
    if len(data) != raw_size or (crc and zlib.crc32(data) != crc):
        raise ValueError("a damaged chunk")
    for opcode, inner in _inner_records(data):
        if opcode in (SCHEMA, CHANNEL):
            _add_description(index, topics, opcode, inner)
    index.chunks.append(ChunkEntry(start, end, offset, length, {}, 0, raw_size, stored, compression))
    index.covers(start, end)


def _add_message_index(index: McapIndex, content: bytes, offset: int, length: int) -> None:
    channel, size = struct.unpack_from("<HI", content)
    chunk = index.chunks[-1]
    chunk.index_offsets[channel] = offset
    chunk.index_length += length
    index.counts[channel] = index.counts.get(channel, 0) + size // 16


def _end(chunk: ChunkEntry) -> int:
    return chunk.offset + chunk.length + chunk.index_length


def _index_last_chunk(index: McapIndex, fd: int) -> tuple[int, bytes]:
    """Makes anew the message indexes of a chunk behind which the file is cut off; returns them and their place."""
    chunk = index.chunks[-1]
    start = chunk.offset + chunk.length
    for channel, offset in chunk.index_offsets.items():
        (size,) = struct.unpack("<I", os.pread(fd, 4, offset + 11))
        index.counts[channel] -= size // 16
    content = os.pread(fd, chunk.length - 9, chunk.offset + 9)
    data = _decompressed(content[len(content) - chunk.stored_size :], chunk.compression, chunk.size)
    entries: dict[int, list[bytes]] = {}
    at = 0
    while at + 9 <= len(data):
        opcode, length = struct.unpack_from("<BQ", data, at)
        if opcode == MESSAGE:
            channel, time = struct.unpack_from("<H4xQ", data, at + 9)
            entries.setdefault(channel, []).append(struct.pack("<QQ", time, at))
        at += 9 + length
    indexes = b""
    chunk.index_offsets = {}
    for channel, rows in entries.items():
        chunk.index_offsets[channel] = start + len(indexes)
        packed = b"".join(rows)
        indexes += record(MESSAGE_INDEX, struct.pack("<HI", channel, len(packed)) + packed)
        index.counts[channel] = index.counts.get(channel, 0) + len(rows)
    chunk.index_length = len(indexes)
    return start, indexes


def _add_description(index: McapIndex, topics: dict[int, TopicInfo], opcode: int, content: bytes) -> None:
    (number,) = struct.unpack_from("<H", content)
    if opcode == SCHEMA:
        index.schemas.setdefault(number, record(SCHEMA, content))
        return
    index.channels.setdefault(number, record(CHANNEL, content))
    index.counts.setdefault(number, 0)
    (schema,) = struct.unpack_from("<H", content, 2)
    (topic, _), at = _texts(content, 4, 2)
    (kind,), _ = _texts(index.schemas[schema], 11, 1) if schema in index.schemas else ([""], 0)
    qos = ""
    (end,) = struct.unpack_from("<I", content, at)
    end, at = at + 4 + end, at + 4
    while at < end:
        (key, value), at = _texts(content, at, 2)
        qos = value if key == "offered_qos_profiles" else qos
    topics[number] = TopicInfo(topic, kind, "", qos)


def _inner_records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 9 <= len(data):
        opcode, length = struct.unpack_from("<BQ", data, at)
        # messages are skipped over by their head: their content is not needed
        yield opcode, data[at + 9 : at + 9 + (22 if opcode == MESSAGE else length)]
        at += 9 + length


def _texts(content: bytes, at: int, count: int) -> tuple[list[str], int]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", content, at)
        found.append(content[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return found, at


def _decompressed(data: bytes, compression: str, size: int) -> bytes:
    if compression == "":
        return data
    if compression == "lz4":
        return bytes(importlib.import_module("lz4.frame").decompress(data))
    if compression == "zstd":
        # in the standard library from Python 3.14 on
        name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
        return bytes(importlib.import_module(name).decompress(data))
    raise ValueError(f"compression {compression!r}")
