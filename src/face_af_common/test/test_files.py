"""Reading is bounded and never waits; what is written is there whole, or not at all."""

from __future__ import annotations

import errno
import os
import resource
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from face_af_common.files import (
    FileError,
    locked,
    make_private,
    read_bytes,
    regular,
    replacing,
    write_json,
    write_text,
)


def line(caught: pytest.ExceptionInfo[FileError], path: Path) -> str:
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    return text


# -- reading -----------------------------------------------------------------------------------------------------------


def test_bytes_come_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert read_bytes(tmp_path / "a", 3_000_000) == b"x" * 3_000_000
    (tmp_path / "empty").touch()
    assert read_bytes(tmp_path / "empty", 10) == b""
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert len(read_bytes(tmp_path / "link", 3_000_000)) == 3_000_000


def test_what_is_no_file_is_one_line_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "large").write_bytes(b"12345")
    for name, told in (
        ("fifo", "no regular file"), ("folder", "a folder"), ("zero", "no regular file"), ("loop", "symbolic links"),
        ("large", "larger than 4 bytes"), ("absent", "No such file"), ("a" * 300, "too long"),
    ):  # fmt: skip
        with pytest.raises(FileError) as caught:
            read_bytes(tmp_path / name, 4)
        assert told in line(caught, tmp_path / name)
    with pytest.raises(FileError, match="null"):
        read_bytes("a\0b", 4)


def test_kernel_files_that_wait_are_not_waited_for() -> None:
    kmsg = Path("/proc/kmsg")
    if not os.access(kmsg, os.R_OK):
        pytest.skip("no readable /proc/kmsg here")
    try:
        assert read_bytes(kmsg, 100) == b""
    except FileError:
        pass  # refused is as good


def test_a_name_of_several_lines_is_shown_on_one() -> None:
    with pytest.raises(FileError) as caught:
        read_bytes("a\nb", 4)
    assert "\n" not in str(caught.value) and r"a\nb" in str(caught.value)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {"Zoë": 1})
    assert path.read_text(encoding="utf-8") == '{\n "Zoë": 1\n}\n'
    path.chmod(0o640)
    write_text(path, "second")
    assert path.read_text() == "second" and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_links_are_followed_but_not_for_private_files(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "there").read_text() == "new" and (tmp_path / "link").is_symlink()
    write_text(tmp_path / "link", "secret", private=True)
    assert (tmp_path / "there").read_text() == "new" and not (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "link").stat().st_mode) == 0o600


def test_devices_are_written_directly() -> None:
    write_text("/dev/null", "gone")
    assert Path("/dev/null").is_char_device()


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("old")
    for error in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(error), replacing(path) as part:
            assert part.suffix == ".mp4" and part.parent == tmp_path
            part.write_text("half")
            raise error
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_errors_about_other_files_stay_theirs(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), replacing(tmp_path / "a") as part:
        part.write_bytes((tmp_path / "elsewhere").read_bytes())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def small_files() -> Iterator[None]:
    """As a full disk: no file of this process may grow above 1 kB."""
    import signal

    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, small_files: None) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(FileError) as caught:
        write_text(path, "x" * 100_000)
    assert "free some space" in line(caught, path) and caught.value.errno == errno.EFBIG
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_places_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for path, told in (
        (tmp_path / "folder", "it is a folder"),
        (tmp_path / "file" / "below", "file is no folder"),
        (Path("/proc/face_af.json"), "cannot be written"),
        (tmp_path / ("x" * 300), "too long"),
    ):
        with pytest.raises(FileError) as caught:
            write_text(path, "a")
        assert told in line(caught, path)


def test_private_folders_are_made_so(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    for folder in (tmp_path / "old", tmp_path / "new"):
        make_private(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be written"):
        make_private(tmp_path / "file")


# -- locking -----------------------------------------------------------------------------------------------------------


def test_a_lock_is_waited_for_and_given_back(tmp_path: Path) -> None:
    order: list[str] = []
    held = threading.Event()

    def second() -> None:
        held.wait()
        with locked(tmp_path / "lock", 10.0):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path / "lock", 10.0):
        held.set()
        with pytest.raises(FileError, match="the thing: another program"), locked(tmp_path / "lock", 0.0, "the thing"):
            pass
        order.append("first")
    thread.join()
    assert order == ["first", "second"] and stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_locks_follow_no_links_and_take_no_fifos(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "fifo")
    for name, told in (("link", "is a link"), ("fifo", "no regular file")):
        with pytest.raises(FileError, match=told), locked(tmp_path / name, 0.0):
            pass
    assert not (tmp_path / "elsewhere").exists()


def test_only_a_regular_file_may_be_opened_by_a_library(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"x")
    assert regular(good) == good
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("fifo", "zero", ".", "absent", "a\0b"):
        with pytest.raises(FileError, match="cannot be read"):
            regular(tmp_path / name)
