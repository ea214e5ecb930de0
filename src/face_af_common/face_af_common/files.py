"""Files as every tool and node reads, writes and locks them.

Reading never waits and is bounded: a FIFO, a device or a file of gigabytes is one line. What is written takes its
place whole or not at all: a temporary file beside it, checked, renamed, removed when anything goes wrong.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .memory import ADVICE, is_shortage

PART = ".face_af-{}.part"
"""Name of a temporary file, beside the one that it becomes; only a process that was killed leaves one behind."""

_SPACE = "free some space, or choose another place"
_RIGHTS = "choose a place that you may write to"
_HINTS = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}
_POLL_S = 0.05
_parts: set[Path] = set()
"""Temporary files that are being written now."""


class FileError(OSError):
    """A file that cannot be read, written or locked. Its text is one line: which one, why, and what to do."""

    def __init__(self, path: str | Path, reason: str, number: int = 0) -> None:
        super().__init__(number, reason, str(path))

    def __str__(self) -> str:
        return f"{shown(self.filename)}: {self.strerror}"


def shown(path: str | Path) -> str:
    """A path as a message shows it: on one line, whatever its name is made of."""
    name = str(path)
    return name if name.isprintable() else ascii(name)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_bytes(path: str | Path, limit: int) -> bytes:
    """What a regular file of at most ``limit`` bytes holds. Never waits for a writer. Raises :class:`FileError`."""
    try:
        # looked at first: opening some devices does something
        _must_be_regular(path, Path(path).stat(), limit)
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            _must_be_regular(path, status, limit)
            # files of /proc say 0, and reading some of them takes for ever
            data = _read(handle, limit + 1) if status.st_size else b""
        finally:
            os.close(handle)
    except FileError:
        raise
    except OSError as error:
        raise FileError(path, f"cannot be read ({_reason(error)})", error.errno or 0) from error
    except ValueError as error:  # a NUL in the name
        raise FileError(path, f"cannot be read ({error})") from error
    if len(data) > limit:
        raise FileError(path, f"larger than {limit} bytes")
    return data


def regular(path: str | Path) -> Path:
    """The path of a regular file, which a library may open without having to wait. Raises :class:`FileError`."""
    try:
        _must_be_regular(path, Path(path).stat(), sys.maxsize)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else error
        raise FileError(path, f"cannot be read ({reason})", getattr(error, "errno", 0) or 0) from error
    return Path(path)


def _must_be_regular(path: str | Path, status: os.stat_result, limit: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileError(path, "cannot be read (it is a folder)")
    if not stat.S_ISREG(status.st_mode):
        raise FileError(path, "cannot be read (it is no regular file)")
    if status.st_size > limit:
        raise FileError(path, f"larger than {limit} bytes")


def _read(handle: int, count: int) -> bytes:
    parts = []
    while count > 0:
        part = os.read(handle, min(count, 1 << 20))
        if not part:
            break
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


# -- writing -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def replacing(path: str | Path, *, private: bool = False, sync: bool = True) -> Iterator[Path]:
    """A temporary path that becomes ``path`` when the block ends, and is removed when it raises.

    It has the same suffix, for encoders that look at it. Folders that are missing are made. ``private``: readable for
    the owner alone, whoever could read the old file. A link is followed, unless ``private``; a device or FIFO is
    written directly. ``sync``: waits until it is on the disk. Raises :class:`FileError`.
    """
    target = Path(path)
    with _told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not private:
            target = Path(os.path.realpath(target))
        old = target.lstat() if os.path.lexists(target) else None
        if old is not None and stat.S_ISDIR(old.st_mode):
            raise FileError(path, "cannot be written (it is a folder)")
        part = target
        if old is None or private or stat.S_ISREG(old.st_mode):
            part = target.with_name(PART.format(secrets.token_hex(6)) + target.suffix[:16])
    try:
        with _told(Path(path), part):
            if part is not target:
                _parts.add(part)
                _create(part, private)
            yield part
            if part is not target:
                _finish(part, target, None if private else old, sync)
    finally:
        if part is not target:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            _parts.discard(part)


def discard_parts() -> None:
    """Removes every temporary file of this process, which is about to be ended."""
    for part in list(_parts):
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """For files that grow: an error that names no file is about ``path``. Raises :class:`FileError`."""
    with _told(Path(path), Path(path)):
        yield


def write_bytes(path: str | Path, data: bytes, *, private: bool = False, sync: bool = True) -> None:
    """Replaces a file whole. Raises :class:`FileError`."""
    with replacing(path, private=private, sync=sync) as part, part.open("wb") as file:
        file.write(data)


def write_text(path: str | Path, text: str, *, private: bool = False, sync: bool = True) -> None:
    """Replaces a file whole, in UTF-8. Raises :class:`FileError`."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), private=private, sync=sync)


def write_json(path: str | Path, data: object) -> None:
    """Replaces a file whole, as JSON in UTF-8. Raises :class:`FileError`."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def make_private(folder: Path) -> None:
    """Makes a folder that only its owner may enter, or makes it so. Raises :class:`FileError`."""
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _take_from_others(folder)


def make_file_private(path: Path) -> None:
    """Takes a file of ours from everybody else. Raises :class:`FileError`."""
    with _told(path):
        _take_from_others(path)


def _take_from_others(path: Path) -> None:
    status = path.lstat()
    if not stat.S_ISLNK(status.st_mode) and status.st_uid == os.geteuid() and status.st_mode & 0o077:
        path.chmod(stat.S_IMODE(status.st_mode) & 0o700)


def _create(part: Path, private: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(part, flags, 0o600 if private else 0o666)
    try:
        if private:
            _to_the_folders_owner(handle, part.parent)
    finally:
        os.close(handle)


def _finish(part: Path, target: Path, old: os.stat_result | None, sync: bool) -> None:
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if sync:
            os.fsync(handle)  # a disk that is full, or a share that is gone, says so here at the latest
        if old is not None:
            os.fchmod(handle, stat.S_IMODE(old.st_mode))
    finally:
        os.close(handle)
    part.replace(target)


def _to_the_folders_owner(handle: int, folder: Path) -> None:
    """What root writes into a user's folder the user can still read."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


@contextlib.contextmanager
def _told(path: Path, part: Path | None = None) -> Iterator[None]:
    """Errors become one line about ``path``; those of a block that writes ``part`` only where they are about it."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        if part is not None and error.filename not in (None, str(part)):
            raise
        why = _reason(error)
        if error.errno in (errno.EEXIST, errno.ENOTDIR) and error.filename is not None:
            why = f"{shown(error.filename)} is no folder"
        raise FileError(path, f"cannot be written ({why}){_hint(error)}", error.errno or 0) from error


def told(error: OSError) -> str:
    """One line about any error of the system: which file, why, and what to do."""
    if isinstance(error, FileError):
        return str(error)
    if is_shortage(error):  # a library that cannot be loaded for it is an OSError too
        return ADVICE
    name = f"{shown(error.filename)}: " if error.filename else ""
    return f"{name}{_reason(error)}{_hint(error)}"


def _hint(error: OSError) -> str:
    hint = _HINTS.get(error.errno or 0, "")
    return f": {hint}" if hint else ""


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


# -- locking -----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(path: Path, wait_s: float, what: str = "") -> Iterator[None]:
    """Holds the lock file ``path`` (made where it is missing, never a link); other processes and threads wait.

    Raises :class:`FileError` where it cannot be had within ``wait_s``; ``what`` it protects is named then.
    """
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            handle = os.open(path, flags, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise FileError(path, "a lock file that is a link: remove it") from error
            raise
    with open(handle, "rb+", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileError(path, "a lock file that is no regular file: remove it")
        with contextlib.suppress(OSError):
            _to_the_folders_owner(handle, path.parent)
        _lock(file, path, wait_s, what)
        yield


def _lock(file: BinaryIO, path: Path, wait_s: float, what: str) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                reason = "another program is writing it; try again when it is done"
                raise FileError(what or path, reason, errno.EAGAIN) from None
        except OSError as error:
            raise FileError(path, f"cannot be locked ({_reason(error)})", error.errno or 0) from error
        time.sleep(_POLL_S)
