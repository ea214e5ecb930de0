"""Recordings: readable by independent readers at every moment, nothing overwritten, repaired when cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import bags
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from face_af_common.images import to_jpeg
from face_af_recording.bag.bag_folder import RecordingError, TopicInfo, new_folder
from face_af_recording.bag.cdr import CdrError, stamp_of
from face_af_recording.bag.definitions import definition
from face_af_recording.bag.mcap_file import McapFile
from face_af_recording.bag.repair import is_finished, repair_bag, repair_file
from face_af_recording.recorder import recorder as recorder_module
from face_af_recording.recorder.recorder import BagRecorder, RecorderLimits
from face_af_recording.repair_bag import main as repair_main
from face_af_recording.replay.source import open_source


def read_counts(path: Path) -> dict[str, int]:
    with AnyReader([path]) as reader:
        counts: dict[str, int] = {}
        for connection, _, raw in reader.messages():
            reader.deserialize(raw, connection.msgtype)
            counts[connection.topic] = counts.get(connection.topic, 0) + 1
        return counts


def test_bag_opens_in_rosbags_and_in_mcap(tmp_path: Path) -> None:
    bag = bags.write_bag(tmp_path / "bag", 12)
    counts = read_counts(bag)
    assert counts["/face_af/image_raw/compressed"] == counts["/face_af/faces"] == counts["/face_af/state"] == 12
    with (bag / "bag_0.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None and summary.statistics is not None
        assert summary.statistics.message_count == sum(counts.values()) == len(list(reader.iter_messages()))


def test_a_file_is_whole_after_every_flush_without_being_closed(tmp_path: Path) -> None:
    file = McapFile(tmp_path / "a.mcap")
    channel = file.add_channel("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id")
    for number in range(5):
        file.add(channel, number, number, serialize_message(bags.header(number)))
        file.flush()
        file.add(channel, number, number, b"\0" * 16)  # in memory only
        with (tmp_path / "a.mcap").open("rb") as copy:
            assert len(list(make_reader(copy, validate_crcs=True).iter_messages())) == 2 * number + 1
    file.close()


def test_kill_9_loses_at_most_what_was_not_flushed(tmp_path: Path) -> None:
    script = f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import bags
        from face_af_common.images import to_jpeg
        from face_af_recording.bag.bag_folder import TopicInfo
        from face_af_recording.recorder.recorder import BagRecorder, COMPRESSED_TYPE, RecorderLimits
        from face_af_recording.bag.definitions import definition
        from rclpy.serialization import serialize_message
        folder = Path({str(tmp_path / "bag")!r}); folder.mkdir()
        recorder = BagRecorder(folder, RecorderLimits(flush_s=0.2))
        recorder.add_topic(TopicInfo("/image", COMPRESSED_TYPE, definition(COMPRESSED_TYPE)))
        number = 0
        while True:
            message = to_jpeg(bags.picture(number % 60), bags.header(number))
            recorder.add("/image", time.time_ns(), serialize_message(message))
            number += 1
            print(time.time_ns(), flush=True)
            time.sleep(0.02)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(80):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    with AnyReader([tmp_path / "bag"]) as reader:
        times = [time_ns for _, time_ns, _ in reader.messages()]
    assert len(times) > 20
    assert (last - times[-1]) / 1e9 < 1.0


def test_split_by_size_and_by_time(tmp_path: Path) -> None:
    bag = bags.write_bag(tmp_path / "size", 30, split_bytes=40_000, flush_s=0.01)
    assert len(list(bag.glob("*.mcap"))) > 1
    counts = read_counts(bag)
    assert counts["/face_af/image_raw/compressed"] == counts["/face_af/faces"] == 30
    assert all(file.stat().st_size for file in bag.glob("*.mcap"))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    bag = bags.write_bag(tmp_path / "bag", 2)
    before = {path: path.read_bytes() for path in bag.iterdir()}
    with pytest.raises(RecordingError, match="holds a recording already"):
        new_folder(bag)
    assert new_folder(bag, number_existing=True) == tmp_path / "bag_2"
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordingError, match="is a file"):
        new_folder(tmp_path / "file")
    assert {path: path.read_bytes() for path in bag.iterdir()} == before


def test_disk_nearly_full_stops_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [10**12]
    monkeypatch.setattr(recorder_module, "free_bytes", lambda folder: free[0])
    reasons: list[str] = []
    recorder = BagRecorder(tmp_path, RecorderLimits(min_free_bytes=10**9, flush_s=0.02), on_stop=reasons.append)
    recorder.add_topic(TopicInfo("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id"))
    recorder.add("/x", 1, serialize_message(bags.header(1)))
    time.sleep(0.2)
    free[0] = 5 * 10**8
    deadline = time.monotonic() + 5
    while not reasons and time.monotonic() < deadline:
        time.sleep(0.01)
    assert reasons and "500 MB are free" in reasons[0] and "1000 MB must stay" in reasons[0]
    recorder.add("/x", 2, serialize_message(bags.header(2)))
    recorder.close()
    assert read_counts(tmp_path) == {"/x": 1}
    with pytest.raises(RecordingError, match="must stay"):
        BagRecorder(new_folder(tmp_path / "next"), RecorderLimits(min_free_bytes=10**9))


def test_the_end_does_not_wait_for_a_slow_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = recorder_module.BagFolder.add

    def slowly(self: object, *message: object) -> None:
        time.sleep(0.05)
        write(self, *message)  # type: ignore[arg-type]

    monkeypatch.setattr(recorder_module.BagFolder, "add", slowly)
    recorder = BagRecorder(tmp_path, RecorderLimits(flush_s=0.02))
    recorder.add_topic(TopicInfo("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id"))
    for number in range(100):
        recorder.add("/x", number + 1, serialize_message(bags.header(number)))
    begun = time.monotonic()
    recorder.close(within_s=0.5)
    assert time.monotonic() - begun < 2.0
    written = read_counts(tmp_path)["/x"]
    assert 1 <= written < 60
    assert written + recorder.counts.messages_dropped == 100
    assert is_finished(tmp_path / f"{tmp_path.name}_0.mcap")


@pytest.mark.parametrize("where", ["flush", "close"])
def test_a_recording_that_ends_by_itself_names_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    recorder = BagRecorder(tmp_path, RecorderLimits(flush_s=0.01 if where == "flush" else 100.0, min_free_bytes=0))
    recorder.add_topic(TopicInfo("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id"))
    monkeypatch.setattr(recorder_module.BagFolder, where, full)
    recorder.add("/x", 1, serialize_message(bags.header(1)))
    recorder.close()
    assert recorder.stopped == f"{tmp_path}: No space left on device"


def test_full_disk_leaves_what_was_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = McapFile(tmp_path / "a.mcap")
    channel = file.add_channel("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id")
    file.add(channel, 1, 1, serialize_message(bags.header(1)))
    file.flush()
    real, calls = os.pwritev, []

    def full(fd: int, parts: list[bytes], offset: int) -> int:
        calls.append(offset)
        if len(calls) == 1:
            return real(fd, [parts[0][:5]], offset)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(fd, parts, offset)

    monkeypatch.setattr(os, "pwritev", full)
    file.add(channel, 2, 2, serialize_message(bags.header(2)))
    with pytest.raises(OSError, match="No space"):
        file.flush()
    with (tmp_path / "a.mcap").open("rb") as copy:
        assert len(list(make_reader(copy, validate_crcs=True).iter_messages())) == 1


def test_a_hung_disk_costs_messages_and_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = threading.Event()
    real = McapFile.flush
    monkeypatch.setattr(McapFile, "flush", lambda file, sync=False: (disk.wait(20), real(file, sync))[1])
    monkeypatch.setattr(BagRecorder, "MOST_WAITING_BYTES", 50_000)
    recorder = BagRecorder(tmp_path, RecorderLimits(flush_s=0.01))
    recorder.add_topic(
        TopicInfo("/image", recorder_module.COMPRESSED_TYPE, definition(recorder_module.COMPRESSED_TYPE))
    )
    data = serialize_message(to_jpeg(bags.picture(0), bags.header(0)))
    time.sleep(0.1)
    started = time.monotonic()
    for number in range(100):
        recorder.add("/image", number, data)
    assert time.monotonic() - started < 10  # it did not wait for the disk
    disk.set()
    recorder.close()
    dropped = recorder.counts.messages_dropped
    assert 50 < dropped < 100
    assert read_counts(tmp_path) == {"/image": 100 - dropped}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_the_stamp_of_wild_bytes(data: bytes) -> None:
    try:
        assert stamp_of(data) is not None
    except CdrError:
        assert len(data) < 12


def test_the_stamp_of_a_message() -> None:
    assert stamp_of(serialize_message(to_jpeg(bags.picture(0), bags.header(3)))) == bags.stamp(3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    bag = bags.write_bag(tmp_path_factory.mktemp("whole") / "bag", 8, flush_s=0.01)
    return (bag / "bag_0.mcap").read_bytes()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_repair_of_a_file_cut_anywhere(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    length = data.draw(st.integers(0, len(whole) - 1))
    path = tmp_path_factory.mktemp("cut") / "a.mcap"
    path.write_bytes(whole[:length])
    assert not is_finished(path)
    try:
        repair_file(path)
    except RecordingError as error:
        assert length < 60 and str(path) in str(error)
        return
    assert is_finished(path)
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        messages = len(list(reader.iter_messages()))
        statistics = reader.get_summary().statistics  # type: ignore[union-attr]
    assert statistics is not None and statistics.message_count == messages
    read_counts(path)


def test_repair_bag_without_metadata(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = bags.write_bag(tmp_path / "bag", 6, flush_s=0.01)
    counts = read_counts(bag)
    (bag / "metadata.yaml").unlink()
    file = bag / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    assert repair_main([str(bag)]) == 0
    assert "messages recovered" in capsys.readouterr().out
    assert read_counts(bag) == counts
    assert next(iter(repair_bag(bag))).endswith("nothing to repair")


def test_repair_of_what_is_no_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, text in ((tmp_path / "no", "does not exist"), (tmp_path, "holds no .mcap file")):
        assert repair_main([str(path)]) == 1
        assert text in capsys.readouterr().err


def five_chunks(path: Path) -> list[tuple[int, int]]:
    """A file of five chunks with one message each; where each begins and how long it is."""
    file = McapFile(path)
    channel = file.add_channel("/x", "std_msgs/msg/Header", "builtin_interfaces/Time stamp\nstring frame_id")
    for number in range(1, 6):
        file.add(channel, number, number, serialize_message(bags.header(number)))
        file.flush()
    file.close()
    return [(chunk.offset, chunk.length) for chunk in file.index.chunks]


def test_what_never_ends_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = tmp_path / "bag"
    bag.mkdir()
    os.mkfifo(bag / "a.mcap")
    (bag / "b.db3").symlink_to("/dev/zero")
    for path in (bag, bag / "a.mcap", bag / "b.db3"):
        with pytest.raises(RecordingError, match="no regular file"):
            open_source(path)
    for path in (bag, bag / "a.mcap"):
        assert repair_main([str(path)]) == 1
        assert "no regular file" in "".join(capsys.readouterr())


def test_repair_passes_over_a_damaged_chunk_and_keeps_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    offset, length = five_chunks(path)[1]
    data = bytearray(path.read_bytes())
    data[offset + length - 3] ^= 0xFF
    path.write_bytes(data)
    assert "4 messages recovered, damaged parts are passed over" in repair_file(path)
    with path.open("rb") as copy:
        assert [m.log_time for _, _, m in make_reader(copy, validate_crcs=True).iter_messages()] == [1, 3, 4, 5]
    assert "nothing to repair" in repair_file(path)
    assert read_counts(path) == {"/x": 4}


def test_repair_leaves_alone_what_it_would_mostly_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mcap"
    offset, _ = five_chunks(path)[1]
    data = bytearray(path.read_bytes())
    data[offset : offset + 9] = bytes(9)
    path.write_bytes(data)
    monkeypatch.setattr("face_af_recording.bag.repair._MOST_LOST", 100)
    with pytest.raises(RecordingError, match="left as it is"):
        repair_file(path)
    assert path.read_bytes() == bytes(data)
