"""Fuzz target: mutated containers, packets and datasets through every decoder.

By hand: ``./run python test/decoder_fuzz.py SECONDS [SEED]``. A finding is any exception but
FormatError, a decode that takes longer than a second, or an answer much larger than its input.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from nikon_mcn10_driver.ptp import (
    Container,
    ContainerAssembler,
    ContainerType,
    DataType,
    DeviceInfo,
    EnumForm,
    Event,
    FormatError,
    LiveViewBox,
    LiveViewHeader,
    ObjectInfo,
    PropertyDescription,
    StorageInfo,
    decode_events,
    decode_events_ex,
    encode_events,
    encode_events_ex,
    ip,
)

SLOW = 1.0
"""Seconds for one decode."""

_EVENTS = [Event(0x4006, (0xD161,)), Event(0x400D, (0,))]
_INFO = DeviceInfo("Nikon", "Z 8", "V2.00", "6000001", operations=tuple(range(0x1001, 0x1010)), properties=(0x5001,))
_ENUM = PropertyDescription(0x5007, DataType.UINT16, True, 400, 400, EnumForm((280, 400, 560)))
_TEXT = PropertyDescription(0x5003, DataType.STRING, True, "L", "L", EnumForm(("L", "M", "S")))
_OBJECT = ObjectInfo(1, 0x3801, 1000, "DSC_0001.JPG")
_HEADER = LiveViewHeader(100, (7680, 4320), (7680, 4320), (3840, 2160), (1920, 1080), (LiveViewBox(1, 2, 3, 4),) * 3)


def _container_with_parameters(data: bytes) -> object:
    return Container.decode(data).params


def _stream_of_containers(data: bytes) -> object:
    assembler = ContainerAssembler()
    for i in range(0, len(data), 7):
        assembler.feed(data[i : i + 7], i + 7 >= len(data))
        while assembler.pop() is not None:
            pass
    return None


def _stream_of_packets(data: bytes) -> object:
    assembler = ip.PacketAssembler()
    assembler.feed(data)
    while (packet := assembler.pop()) is not None:
        for read in (
            ip.OperationRequest.read,
            ip.CodeAndParams.read,
            ip.read_start_data,
            ip.read_data,
            ip.read_init_command_ack,
        ):
            try:
                read(packet)
            except FormatError:
                pass
    return None


_CONTAINERS = b"".join(
    (
        Container.of(ContainerType.COMMAND, 0x9428, 7).encode(),
        Container(ContainerType.DATA, 0x9428, 7, bytes(100)).encode(),
        Container.of(ContainerType.RESPONSE, 0x2001, 7, 1, 2).encode(),
    )
)
_PACKETS = b"".join(
    (
        ip.init_command_ack(1, ip.Hello(bytes(16), "Z_8")).encode(),
        ip.OperationRequest(0x1001, 1, (1, 2)).encode(),
        ip.start_data(1, 20).encode(),
        ip.data(1, bytes(20), True).encode(),
        ip.CodeAndParams(0x2001, 1).encode(ip.PacketType.OPERATION_RESPONSE),
    )
)

TARGETS: list[tuple[Callable[[bytes], object], bytes]] = [
    (_container_with_parameters, Container.of(ContainerType.RESPONSE, 0x2001, 7, 1).encode()),
    (_stream_of_containers, _CONTAINERS),
    (_stream_of_packets, _PACKETS),
    (DeviceInfo.decode, _INFO.encode()),
    (PropertyDescription.decode, _ENUM.encode()),
    (PropertyDescription.decode, _TEXT.encode()),
    (StorageInfo.decode, StorageInfo(4, 3, 0, 1 << 37, 1 << 36, 2000, "", "NIKON Z 8").encode()),
    (ObjectInfo.decode, _OBJECT.encode()),
    (decode_events, encode_events(_EVENTS)),
    (decode_events_ex, encode_events_ex(_EVENTS)),
    (LiveViewHeader.decode, _HEADER.encode()[:100] + bytes(100)),
]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A few changed, lost, doubled or inserted bytes; often the numbers that hurt."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(6)
        if kind == 0 and at < len(out):
            out[at] = rng.randrange(256)
        elif kind == 1 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del out[at:]
        elif kind == 3:
            out[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80", b"\x0b\0\0\0"))
        elif kind == 4:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        else:
            out += out[at:]
        del out[4096:]
    return bytes(out)


def fuzz(seconds: float, seed: int = 0, at_most: int | None = None) -> int:
    """How many inputs went through; raises AssertionError with the input that shows a fault."""
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end and (at_most is None or count < at_most):
        for decode, sample in TARGETS:
            data = mutate(sample, rng)
            started = time.monotonic()
            try:
                decode(data)
            except FormatError:
                pass
            except BaseException as error:
                raise AssertionError(f"{decode.__qualname__} on {data.hex()}: {error!r}") from error
            assert time.monotonic() - started < SLOW, f"{decode.__qualname__} is slow on {data.hex()}"
            count += 1
    return count


if __name__ == "__main__":
    arguments = [float(argument) for argument in sys.argv[1:]] or [60.0]
    print(f"{fuzz(arguments[0], int(arguments[1]) if len(arguments) > 1 else 0)} inputs, no finding")
