"""``./run fetch-models``: downloads the weights that the manifest has a source for, verified, whole or not at all."""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from face_af_common.files import replacing, told
from face_af_common.paths import model_dirs

from .manifest import Manifest, load_manifest
from .model_entry import ModelEntry
from .model_files import sha256
from .runtimes import ModelError

DEFAULT = ("det_2.5g", "w600k_mbf")
TIMEOUT_S = 30.0
MAX_BYTES = 1 << 30
_BLOCK = 1 << 18

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


def fetch(entry: ModelEntry, folder: Path, progress: Progress = lambda done, total: None) -> Path:
    """Downloads an entry's file into ``folder`` and returns its path; a right file that is there already is kept.

    The file appears under its name only when it is whole and its checksum is right. Raises :class:`ModelError`.
    """
    target = folder / entry.file
    if target.is_file() and entry.sha256 and sha256(target) == entry.sha256:
        return target
    if entry.source is None:
        raise ModelError(f"{entry.name}: the manifest has no source to download it from")
    try:
        with replacing(target) as part:
            with part.open("wb") as file:
                digest = _copy(entry, file, progress)
            if entry.sha256 and digest != entry.sha256:
                raise ModelError(
                    f"{entry.name}: what {entry.source.url} sent has a wrong checksum (SHA-256 {digest[:12]}…, "
                    f"the manifest says {entry.sha256[:12]}…); nothing was kept"
                )
    except urllib.error.HTTPError as error:
        raise ModelError(f"{entry.name}: {entry.source.url} answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, EOFError) as error:
        why = getattr(error, "reason", error)
        raise ModelError(
            f"{entry.name}: cannot be downloaded, is there a network? ({why}) The models from PyPI work without it"
        ) from error
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{entry.name}: {entry.source.url} is not the archive it should be ({error})") from error
    except OSError as error:
        raise ModelError(told(error)) from error
    return target


def _copy(entry: ModelEntry, file: IO[bytes], progress: Progress) -> str:
    """Writes the entry's bytes into ``file``; returns their SHA-256."""
    assert entry.source is not None
    with _opened(entry.source.url) as remote:
        if not entry.source.member:
            return _pour(remote, file, remote.length, progress)
        with zipfile.ZipFile(cast(Any, io.BufferedReader(remote, _BLOCK))) as archive:
            names = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] == entry.source.member]
            if len(names) != 1:
                raise KeyError(f"{entry.source.member} is in it {len(names)} times")
            with archive.open(names[0]) as member:
                return _pour(member, file, archive.getinfo(names[0]).file_size, progress)


def _pour(source: Any, file: IO[bytes], size: int, progress: Progress) -> str:
    if size > MAX_BYTES:
        raise OSError(f"{size} bytes are too many for a model")
    digest, done = hashlib.sha256(), 0
    while chunk := source.read(_BLOCK):
        done += len(chunk)
        if done > MAX_BYTES:
            raise OSError("too many bytes for a model")
        digest.update(chunk)
        file.write(chunk)
        progress(done, size)
    return digest.hexdigest()


class _Remote(io.RawIOBase):
    """A file on a web server, read in ranges, so that one member of a large archive costs only its own bytes."""

    def __init__(self, url: str, length: int) -> None:
        self._url, self.length, self._at = url, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.length}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._at + len(buffer), self.length)
        if end <= self._at:
            return 0
        with _request(self._url, {"Range": f"bytes={self._at}-{end - 1}"}) as answer:
            data = answer.read(end - self._at)
        if not data:
            raise EOFError("the server sent nothing")
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Local(io.FileIO):
    """A file that was downloaded whole, because its server does not serve ranges."""

    def __init__(self, path: str, length: int) -> None:
        super().__init__(path)
        self.length = length


@contextmanager
def _opened(url: str) -> Iterator[_Remote | _Local]:
    if not url.startswith(("https://", "http://")):
        raise OSError(f"{url} is no web address")
    with _request(url, {"Range": "bytes=0-0"}) as answer:
        if answer.status == 206:
            total = int(answer.headers["Content-Range"].rsplit("/", 1)[-1])
            yield _Remote(answer.geturl(), total)
            return
        with tempfile.NamedTemporaryFile() as whole:
            shutil.copyfileobj(answer, whole, _BLOCK)
            whole.flush()
            yield _Local(whole.name, Path(whole.name).stat().st_size)


def _request(url: str, headers: dict[str, str]) -> Any:
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_S)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="fetch-models", description=(__doc__ or "").split(": ", 1)[1])
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"names in the manifest ({' '.join(DEFAULT)})")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder for the files (where the nodes look first)")
    parser.add_argument("--manifest", type=Path, help="a manifest of your own, on top of the project's")
    parser.add_argument("--list", action="store_true", help="says what there is, and what is here already")
    options = parser.parse_args(argv)
    try:
        manifest = load_manifest(options.manifest)
        folder = options.to or model_dirs()[0]
        if options.list:
            _list(manifest, folder)
            return 0
        entries = [manifest.entry(name) for name in options.models or DEFAULT]
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if sum(not _fetch_one(entry, folder) for entry in entries) else 0


def _fetch_one(entry: ModelEntry, folder: Path) -> bool:
    from tqdm import tqdm

    if entry.package:
        print(f"{entry.name}: comes inside the Python package {entry.package}, nothing to download")
        return True
    try:
        with tqdm(total=0, unit="B", unit_scale=True, desc=entry.name, disable=None, leave=False) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            path = fetch(entry, folder, show)
    except ModelError as error:
        print(error, file=sys.stderr)
        return False
    checked = "verified" if entry.sha256 else f"not verified, its SHA-256 is {sha256(path)}"
    megabytes = path.stat().st_size / 1e6
    print(f"{entry.name}: {path} ({megabytes:.1f} MB, {checked}); licence of the weights: {entry.licence or 'unknown'}")
    return True


def _list(manifest: Manifest, folder: Path) -> None:
    for entry in manifest.entries:
        if entry.package:
            where = f"in the package {entry.package}"
        elif (folder / entry.file).is_file():
            where = "here"
        else:
            where = "can be downloaded" if entry.source else "no source known"
        print(f"{entry.kind:9} {entry.name:18} {where:32} {entry.licence}")


if __name__ == "__main__":
    sys.exit(main())
