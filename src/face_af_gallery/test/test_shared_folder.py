"""Several programs change one gallery; nobody is lost, and nobody who was removed leaves a trace."""

from __future__ import annotations

import errno
import multiprocessing
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from face_af_common.files import locked
from face_af_gallery.files import GalleryFolder
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import Chip, EmbeddingModel, GalleryError

sys.path.insert(0, str(Path(__file__).parent))
from conftest import COLOURS, LANDMARKS, ColourModel


def add(gallery: Gallery, name: str, colour: str = "anna") -> None:
    picture = np.full((256, 256, 3), 90, np.uint8)
    picture[60:200, 70:190] = COLOURS[colour]
    row = gallery.embedder.embed(picture, [LANDMARKS], flip=True)[0]
    gallery.add(name, Chip(picture, LANDMARKS.copy()), row, 0.8)


def add_one(folder: Path, name: str, together: object) -> None:
    gallery = Gallery.open(folder, ColourModel(), create=True)
    add(gallery, name)
    together.wait()  # type: ignore[attr-defined]
    gallery.save()


def test_four_programs_at_once_lose_nobody(tmp_path: Path, embedder: EmbeddingModel) -> None:
    start = multiprocessing.get_context("fork")
    for round_ in range(3):
        together = start.Barrier(4)
        names = [f"{round_}{number}" for number in range(4)]
        writers = [start.Process(target=add_one, args=(tmp_path / "g", name, together)) for name in names]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0] * 4
        assert Gallery.open(tmp_path / "g", embedder).names[-4:] == names
    again = Gallery.open(tmp_path / "g", embedder)
    assert len(again.names) == 12 and all(again.thumbnail(name) is not None for name in again.names)


def test_what_others_removed_stays_removed(tmp_path: Path, embedder: EmbeddingModel) -> None:
    first = Gallery.open(tmp_path, embedder, create=True)
    add(first, "anna")
    first.save()
    second = Gallery.open(tmp_path, embedder)
    second.remove("anna")
    add(second, "bert")
    second.save()
    add(first, "cleo")
    first.save()
    assert first.names == ["bert", "cleo"] == Gallery.open(tmp_path, embedder).names


def test_a_change_sees_what_is_there_by_then(tmp_path: Path, embedder: EmbeddingModel) -> None:
    first, second = (Gallery.open(tmp_path, embedder, create=True) for _ in range(2))
    add(first, "anna")
    first.save()
    with second.changing():
        assert second.names == ["anna"]
        second.remove("anna")
    with pytest.raises(ZeroDivisionError), second.changing():
        add(second, "bert")
        raise ZeroDivisionError
    assert Gallery.open(tmp_path, embedder).names == []


def test_a_change_that_cannot_be_written_is_forgotten(
    tmp_path: Path, embedder: EmbeddingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    add(gallery, "anna")
    gallery.save()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for step in ("write_chip", "write_embeddings", "write_samples", "forget_others"):
        with monkeypatch.context() as disk:
            disk.setattr(GalleryFolder, step, full)
            with pytest.raises(GalleryError, match="No space left"), gallery.changing():
                add(gallery, "bert", "bert")
                gallery.remove("anna")
        assert gallery.names == ["anna"] and gallery.changed_on_disk()
    gallery.reload()  # the last one had been written but for the tidying up
    assert gallery.names == ["bert"] == Gallery.open(tmp_path, embedder).names


def test_a_change_that_is_refused_costs_nothing(tmp_path: Path, embedder: EmbeddingModel) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    add(gallery, "anna")
    gallery.save()
    version = gallery.version
    with pytest.raises(GalleryError), gallery.changing():
        raise GalleryError("there is nobody of this name")
    assert gallery.version == version and not gallery.changed_on_disk()


def test_a_gallery_that_somebody_is_writing_is_one_line(tmp_path: Path, embedder: EmbeddingModel) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    add(gallery, "anna")
    with (
        locked(tmp_path / ".lock", 1.0),
        pytest.raises(GalleryError, match=f"{tmp_path}: another program is writing it"),
    ):
        gallery.save(wait_s=0.1)
    gallery.save(wait_s=0.1)  # and nothing was lost
    assert Gallery.open(tmp_path, embedder).names == ["anna"]


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path, embedder: EmbeddingModel) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / ".lock").symlink_to(tmp_path / "precious")
    gallery = Gallery.open(tmp_path / "g", embedder, create=True)
    add(gallery, "anna")
    with pytest.raises(GalleryError, match="is a link"):
        gallery.save()
    assert (tmp_path / "precious").read_text() == "mine"


def test_faces_are_for_their_owner_alone(tmp_path: Path, embedder: EmbeddingModel) -> None:
    folder = tmp_path / "g"
    gallery = Gallery.open(folder, embedder, create=True)
    add(gallery, "anna")
    gallery.save()
    for path in (folder, *folder.rglob("*")):  # as an earlier version left them
        path.chmod(0o755 if path.is_dir() else 0o644)
    add(gallery, "bert")
    gallery.save()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*")) if path.name != ".lock"}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600} and len(modes) == 6


def test_somebody_removed_leaves_no_trace(
    tmp_path: Path, embedder: EmbeddingModel, other_embedder: EmbeddingModel
) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    add(gallery, "anna", "anna")
    add(gallery, "bert", "bert")
    gallery.save()
    Gallery.open(tmp_path, other_embedder)  # writes embeddings of its own
    (tmp_path / "embeddings-third.npz").write_bytes(b"nobody can read this")
    (tmp_path / "holiday.png").write_bytes(b"the user's own")
    secret = gallery.samples("anna")[0].id
    for folder in (tmp_path, tmp_path / "chips"):  # as a save leaves them that was killed
        (folder / ".face_af-0123456789ab.part.png").write_bytes(secret.encode())
    gallery.remove("anna")
    gallery.save()
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert not [path for path in left if secret in path.name or secret.encode() in path.read_bytes()]
    assert not [path for path in left if secret.encode("utf-32-le") in path.read_bytes()]
    assert not [path for path in left if path.name.startswith(".face_af-")]
    assert len([path for path in left if path.suffix == ".npz"]) == 2 and tmp_path / "holiday.png" in left
    assert Gallery.open(tmp_path, other_embedder, progress=lambda *_: pytest.fail("embedded again")).names == ["bert"]
