"""The wire format: encode and decode are inverse; whatever else comes gives one typed error."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    RangeForm,
    Reader,
    StorageInfo,
    Writer,
    decode_events,
    decode_events_ex,
    encode_events,
    encode_events_ex,
    ip,
)
from nikon_mcn10_driver.ptp.codes import name_of
from nikon_mcn10_driver.ptp.container import MAX_CONTAINER, UNKNOWN_LENGTH

u8, u16, u32, u64 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64))
codes = st.lists(u16, max_size=20).map(tuple)
texts = st.text(max_size=100).map(lambda text: text.replace("\0", ""))
params = st.lists(u32, max_size=5).map(tuple)


def values_of(kind: DataType) -> st.SearchStrategy:
    if kind == DataType.STRING:
        return texts
    number = st.integers(*kind.limits)
    return st.lists(number, max_size=8).map(tuple) if kind.is_array else number


typed_values = st.sampled_from(DataType).flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind)))


@given(typed_values)
def test_values_survive(typed):
    kind, value = typed
    reader = Reader(Writer().value(kind, value).done())
    assert reader.value(kind) == value
    reader.end()


@given(st.sampled_from([k for k in DataType if k != DataType.STRING and not k.is_array]), st.integers())
def test_a_number_that_does_not_fit_is_refused(kind, value):
    low, high = kind.limits
    if low <= value <= high:
        assert len(Writer().number(kind, value).done()) == kind.size
    else:
        with pytest.raises(FormatError):
            Writer().number(kind, value)


@pytest.mark.parametrize("text", ["x" * 255, "a\0b", "\ud800"])
def test_texts_without_a_wire_form_are_refused(text):
    with pytest.raises(FormatError):
        Writer().string(text)


def test_an_array_count_is_checked_before_anything_is_allocated():
    with pytest.raises(FormatError, match="does not fit"):
        Reader(struct.pack("<I", 0xFFFFFFFF) + b"1234").array(DataType.UINT128)


device_infos = st.builds(
    DeviceInfo,
    *[texts] * 4,
    operations=codes,
    events=codes,
    properties=codes,
    capture_formats=codes,
    image_formats=codes,
    standard_version=u16,
    vendor_extension=u32,
    vendor_version=u16,
    vendor_description=texts,
    functional_mode=u16,
)


@given(device_infos)
def test_device_info_survives(info):
    assert DeviceInfo.decode(info.encode()) == info


@st.composite
def descriptions(draw):
    kind = draw(st.sampled_from(DataType))
    value = values_of(kind)
    form = draw(
        st.one_of(
            st.none(),
            st.builds(RangeForm, value, value, value),
            st.builds(EnumForm, st.lists(value, max_size=5).map(tuple)),
        )
    )
    return PropertyDescription(draw(u16), kind, draw(st.booleans()), draw(value), draw(value), form)


@given(descriptions(), st.booleans())
def test_property_descriptions_survive(description, wide):
    assert PropertyDescription.decode(description.encode(wide), wide) == description


@given(st.builds(StorageInfo, u16, u16, u16, u64, u64, u32, texts, texts))
def test_storage_info_survives(info):
    assert StorageInfo.decode(info.encode()) == info


@given(st.builds(ObjectInfo, u32, u16, u32, texts, u16, u16, *[u32] * 7, u16, u32, u32, texts, texts, texts))
def test_object_info_survives(info):
    assert ObjectInfo.decode(info.encode()) == info


@given(st.lists(st.builds(Event, u16, st.tuples(u32)), max_size=20).map(tuple))
def test_event_lists_survive(events):
    assert decode_events(encode_events(events)) == events


@given(st.lists(st.builds(Event, u16, st.lists(u32, max_size=6).map(tuple)), max_size=20).map(tuple))
def test_long_event_lists_survive(events):
    assert decode_events_ex(encode_events_ex(events)) == events


sizes = st.tuples(u16, u16)
headers = st.builds(
    LiveViewHeader,
    st.integers(0, 5000),
    sizes,
    sizes,
    sizes,
    sizes,
    st.lists(st.builds(LiveViewBox, u16, u16, u16, u16), max_size=40).map(tuple),
    u8,
    st.booleans(),
    st.booleans(),
    u8,
    u8,
    st.booleans(),
)


@given(headers)
def test_live_view_headers_survive(header):
    data = header.encode()
    assert len(data) == 1024
    assert LiveViewHeader.decode(data + bytes(header.jpeg_size)) == header
    if header.jpeg_size:
        with pytest.raises(FormatError):
            LiveViewHeader.decode(data + bytes(header.jpeg_size - 1))


containers = st.one_of(
    st.builds(Container, st.just(ContainerType.DATA), u16, u32, st.binary(max_size=2000)),
    st.builds(
        lambda k, c, t, p: Container.of(k, c, t, *p),
        st.sampled_from([ContainerType.COMMAND, ContainerType.RESPONSE]),
        u16,
        u32,
        params,
    ),
    st.builds(lambda c, t, p: Container.of(ContainerType.EVENT, c, t, *p[:3]), u16, u32, params),
)


@given(containers)
def test_containers_survive(container):
    assert Container.decode(container.encode()) == container


@given(st.lists(containers, max_size=6), st.data())
def test_containers_come_whole_out_of_any_cut(sent, data):
    """Whether a device joins containers or splits header and payload."""
    stream = b"".join(c.encode() for c in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    assembler, got = ContainerAssembler(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        assembler.feed(stream[start:end], True)
        while (container := assembler.pop()) is not None:
            got.append(container)
    assert got == sent
    assert assembler.pending == 0


@given(st.binary(min_size=1, max_size=3000))
def test_a_container_of_unknown_length_ends_with_a_short_packet(payload):
    data = struct.pack("<IHHI", UNKNOWN_LENGTH, ContainerType.DATA, 0x1009, 5) + payload
    assembler = ContainerAssembler()
    assembler.feed(data[: len(data) // 2], False)
    assert assembler.pop() is None
    assembler.feed(data[len(data) // 2 :], True)
    assert assembler.pop() == Container(ContainerType.DATA, 0x1009, 5, payload)


@pytest.mark.parametrize(
    "header",
    [
        (11, 3, 0x2001, 1),
        (36, 1, 0x1001, 1),
        (28, 4, 0x4002, 1),
        (13, 3, 0x2001, 1),
        (12, 5, 0x2001, 1),
        (UNKNOWN_LENGTH, 3, 0x2001, 1),
        (MAX_CONTAINER + 1, 2, 0x1009, 1),
    ],
)
def test_impossible_headers_are_refused(header):
    assembler = ContainerAssembler()
    assembler.feed(struct.pack("<IHHI", *header), True)
    with pytest.raises(FormatError):
        assembler.pop()


@given(st.lists(st.builds(ip.Packet, st.sampled_from(ip.PacketType), st.binary(max_size=300)), max_size=6), st.data())
def test_packets_come_whole_out_of_any_cut(sent, data):
    stream = b"".join(packet.encode() for packet in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    assembler, got = ip.PacketAssembler(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        assembler.feed(stream[start:end])
        while (packet := assembler.pop()) is not None:
            got.append(packet)
    assert got == sent


@given(u16, u32, params, st.sampled_from(ip.DataPhase))
def test_operations_and_responses_survive(code, transaction, parameters, phase):
    def packet(data: bytes) -> ip.Packet:
        assembler = ip.PacketAssembler()
        assembler.feed(data)
        return assembler.pop()

    request = ip.OperationRequest(code, transaction, parameters, phase)
    assert ip.OperationRequest.read(packet(request.encode())) == request
    response = ip.CodeAndParams(code, transaction, parameters)
    assert ip.CodeAndParams.read(packet(response.encode(ip.PacketType.OPERATION_RESPONSE))) == response


@given(
    st.binary(min_size=16, max_size=16),
    st.text(max_size=15).map(lambda text: text.replace("\0", "")),
    u32,
)
def test_greetings_survive(guid, name, connection):
    hello = ip.Hello(guid, name)
    assert ip.read_init_command_ack(ip.init_command_ack(connection, hello)) == (connection, hello)


@pytest.mark.parametrize(("length", "kind"), [(7, 1), (ip.MAX_PACKET + 1, 10), (8, 0), (8, 15)])
def test_impossible_packets_are_refused(length, kind):
    assembler = ip.PacketAssembler()
    assembler.feed(struct.pack("<II", length, kind))
    with pytest.raises(FormatError):
        assembler.pop()


def test_a_data_phase_above_the_limit_is_refused():
    with pytest.raises(FormatError):
        ip.read_start_data(ip.start_data(1, ip.MAX_DATA + 1))


def test_a_data_phase_of_unknown_length_is_bounded():
    assert ip.read_start_data(ip.start_data(1, ip.UNKNOWN_TOTAL)) == (1, ip.MAX_DATA)


def test_codes_have_names():
    assert name_of(0x2019) == "DEVICE_BUSY (0x2019)"
    assert name_of(0x9999) == "0x9999"
