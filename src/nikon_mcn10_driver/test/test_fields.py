"""Values that the driver computes, and the checksums that they may need."""

from __future__ import annotations

import binascii
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nikon_mcn10_driver.checksums import CHECKSUMS
from nikon_mcn10_driver.fields import Checksum, Clock, Counter, CounterRule, Echo, FieldError, TransactionId, Values
from nikon_mcn10_driver.transport import Reply

CHECK = b"123456789"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("crc8", 0xF4),
        ("crc8_maxim", 0xA1),
        ("crc8_sae", 0x4B),
        ("crc16_arc", 0xBB3D),
        ("crc16_modbus", 0x4B37),
        ("crc16_usb", 0xB4C8),
        ("crc16_xmodem", 0x31C3),
        ("crc16_ccitt_false", 0x29B1),
        ("crc16_kermit", 0x2189),
        ("crc16_x25", 0x906E),
        ("crc32", 0xCBF43926),
        ("crc32_bzip2", 0xFC891918),
        ("crc32c", 0xE3069283),
    ],
)
def test_the_catalogues_check_values(kind, value):
    assert CHECKSUMS[kind][1](CHECK) == value


@given(st.binary())
def test_crcs_agree_with_the_standard_library(data):
    assert CHECKSUMS["crc32"][1](data) == zlib.crc32(data)
    assert CHECKSUMS["crc16_xmodem"][1](data) == binascii.crc_hqx(data, 0)


def test_counters_step_wrap_and_repeat():
    values = Values({"n": CounterRule(start=254, step=1, modulo=255, lowest=1)}, {})
    sent = [values.params((Counter("n"), Counter("n", advance=False)), 1) for _ in range(3)]
    assert sent == [(254, 254), (255, 255), (1, 1)]


def test_echoes_come_from_the_newest_answer():
    replies = {0x9207: Reply(0x2001, (7,), bytes(range(16))), (0x9207, (3,)): Reply(0x2001, (), b"\xff" * 8)}
    values = Values({}, replies)
    template = (Echo(0x9207, offset=4), Echo(0x9207, parameter=0, add=1), Echo(0x9207, offset=0, request=(3,), xor=1))
    assert values.params(template, 1) == (0x07060504, 8, 0xFFFFFFFE)
    with pytest.raises(FieldError, match="0x9999"):
        values.params((Echo(0x9999, offset=0),), 1)
    with pytest.raises(FieldError, match="too few"):
        values.params((Echo(0x9207, offset=14),), 1)


def test_data_is_put_together_and_summed_last():
    now = [10.0]
    values = Values({}, {}, lambda: now[0])
    now[0] = 11.5
    data = values.data((b"\x01", Clock("ms", 2, bytes=2), Checksum("sum8", 0, 3, bytes=1), TransactionId(1, 1)), 8)
    assert data == bytes((1, 0xDE, 0x05, (1 + 0xDE + 5) & 255, 9))
