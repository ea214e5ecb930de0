"""Whatever lies in a gallery's folder: one line, in bounded time and memory, and the good file helps again."""

from __future__ import annotations

import io
import json
import os
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from face_af_gallery.foreign import read_array_file, read_people, read_png
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import EmbeddingModel, GalleryError
from face_af_gallery.voices import VoiceGallery

sys.path.insert(0, str(Path(__file__).parent))
from test_shared_folder import add

SAMPLE = {"id": "0123456789abcdef", "quality": 0.5, "negative": False, "landmarks": [[1, 2]] * 5, "added": "2026"}


def people(**changes: object) -> str:
    return json.dumps({"format": 1, "people": {"anna": [{**SAMPLE, **changes}]}})


JSON = {
    "brackets": "[" * 200_000,
    "objects": '{"a":' * 200_000,
    "a number of a million digits": people(quality=7).replace("7", "9" * 1_000_000, 1),
    "400 digits": people().replace("0.5", "9" * 400),
    "infinite": people().replace("0.5", "1e999"),
    "not a number": people().replace("0.5", "NaN"),
    "lone surrogates in a name": people().replace("anna", "\\ud800"),
    "a name of 10 MB": people().replace("anna", "a" * 10_000_000),
    "lone surrogates in a date": people().replace("2026", "\\ud800"),
    "a date of 10 MB": people(added="x" * 10_000_000),
    "an id that is a path": people(id="../../../etc/passwd"),
    "an id that is a number": people(id=5),
    "an id of 10 MB": people(id="x" * 10_000_000),
    "landmarks of text": people(landmarks="five"),
    "landmarks without end": people(landmarks=[[1e300, 2]] * 5),
    "ragged landmarks": people(landmarks=[[1, 2], [3]]),
    "nothing": "null",
    "no people": '{"format": 1}',
    "people as text": '{"format": 1, "people": "anna"}',
    "another format": '{"format": ' + "8" * 19 + ', "people": {}}',
    "format as a list": '{"format": [' + "1," * 100_000 + '1], "people": {}}',
    "cut off": people()[:-20],
}


@pytest.mark.parametrize("name", JSON)
def test_text_that_is_no_gallery(tmp_path: Path, name: str) -> None:
    path = tmp_path / "gallery.json"
    path.write_text(JSON[name], encoding="utf-8")
    one_line_soon(lambda: read_people(path), tmp_path)


@pytest.mark.parametrize("name", JSON)
def test_text_that_is_no_gallery_of_voices(tmp_path: Path, name: str) -> None:
    (tmp_path / "voices.json").write_text(JSON[name], encoding="utf-8")
    one_line_soon(lambda: VoiceGallery.open(tmp_path, "model"), tmp_path)


def one_line_soon(read: Callable[[], object], folder: Path) -> None:
    began = time.process_time()
    with pytest.raises(GalleryError) as caught:
        read()
    line = str(caught.value)
    assert str(folder) in line and "\n" not in line and len(line) < 500 and line.isprintable()
    assert time.process_time() - began < 5


def place(path: Path, kind: str) -> None:
    """Puts something that is no file, or too much of one."""
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    else:  # a file of 1 GB of zeros that takes no room on the disk
        with path.open("wb") as file:
            file.truncate(1_000_000_000)


NO_FILES = ("fifo", "zero", "loop", "folder", "zeros")


@pytest.mark.parametrize("kind", NO_FILES)
def test_old_people_stay_until_the_good_file_is_back(tmp_path: Path, embedder: EmbeddingModel, kind: str) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    add(gallery, "anna")
    gallery.save()
    path = tmp_path / "gallery.json"
    path.rename(tmp_path / "good")
    place(path, kind)
    if kind != "loop":  # a link to itself is no file at all, and changes nothing
        assert gallery.changed_on_disk()
        one_line_soon(gallery.reload, tmp_path)
    assert gallery.names == ["anna"]
    if path.is_dir():
        path.rmdir()
    (tmp_path / "good").replace(path)
    gallery.reload()
    assert gallery.names == ["anna"] and not gallery.complaint


@pytest.mark.parametrize("kind", NO_FILES)
def test_chips_and_embeddings_that_are_no_files(tmp_path: Path, kind: str) -> None:
    place(tmp_path / "x", kind)
    began = time.process_time()
    assert read_png(tmp_path / "x", 256) is None and read_array_file(tmp_path / "x") == {}
    assert time.process_time() - began < 5


def size_of(data: bytes) -> str:
    """The name of a case."""
    return f"{len(data)} bytes"


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        png(30_000, 30_000, bytes(1_000_000)),  # 2.7 GB, were it decoded
        png(2**31 - 1, 2**31 - 1, b""),
        png(0, 0, b""),
        png(256, 256, b"short"),
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"",
    ],
    ids=size_of,
)
def test_picture_bombs(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.png").write_bytes(data)
    found = read_png(tmp_path / "x.png", 256)
    assert found is None or found.shape == (256, 256, 3)


def npz(compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            # without the time of now: what is made while tests are collected is the same in every process
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), data, compression)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


IDS, ROWS = npy(np.array(["0" * 16])), npy(np.ones((1, 8), np.float32))


def headed(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "data",
    [
        npz(ids=npy(np.array("0" * 16)), embeddings=ROWS),
        npz(ids=IDS, embeddings=npy(np.float32(1))),
        npz(ids=IDS, embeddings=npy(np.ones((2, 8), np.float32))),
        npz(ids=IDS, embeddings=npy(np.full((1, 8), np.nan, np.float32))),
        npz(ids=IDS, embeddings=npy(np.ones((1, 8)))),
        npz(ids=IDS, embeddings=npy(np.array([{"a": 1}], object))),
        npz(ids=npy(np.array([1])), embeddings=ROWS),
        npz(ids=IDS),
        npz(zipfile.ZIP_DEFLATED, ids=IDS, embeddings=npy(np.zeros((200_000, 8), np.float32))),
        npz(ids=IDS, embeddings=headed("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 8)}")),
        npz(ids=IDS, embeddings=headed("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8)}", bytes(32))),
        npz(ids=IDS, embeddings=headed("(" * 900)),
        npz(ids=IDS, embeddings=headed("[" * 60_000)),
        npz(ids=IDS, embeddings=headed("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n")),
        b"PK\x03\x04",
        b"",
    ],
    ids=size_of,
)
def test_arrays_that_are_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(data)
    assert read_array_file(tmp_path / "x.npz") == {}
    (tmp_path / "x.npz").write_bytes(npz(ids=IDS, embeddings=ROWS))
    assert list(read_array_file(tmp_path / "x.npz")) == ["0" * 16]


GOOD = (people().encode(), npz(ids=IDS, embeddings=ROWS), png(256, 256, bytes(256 * (256 * 3 + 1))))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(range(3)),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    st.integers(0, 10**6),
)
def test_mutated_files(
    tmp_path_factory: pytest.TempPathFactory, kind: int, changes: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(GOOD[kind])
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(bytes(data[: cut % (2 * len(data)) + 1]))
    try:
        read_people(path)
    except GalleryError as error:
        assert str(error).isprintable()
    read_array_file(path)
    read_png(path, 256)
