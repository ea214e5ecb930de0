"""Who is known: on disk and in memory, whatever lies in the folder."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from face_af_gallery.gallery import FEW, Gallery, growth
from face_af_gallery.matching import mean_embedding, similarity
from face_af_gallery.model import Chip, EmbeddingModel, GalleryError, Sample


def enrol(gallery: Gallery, name: str, picture: np.ndarray, landmarks: np.ndarray, negative: bool = False) -> Sample:
    row = gallery.embedder.embed(picture, [landmarks], flip=True)[0]
    return gallery.add(name, Chip(picture, landmarks), row, 0.8, negative)


def test_people_come_back_from_disk(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path / "g", embedder, create=True)
    for name in ("anna", "bert"):
        enrol(gallery, name, *portrait(name))
    gallery.save()
    again = Gallery.open(tmp_path / "g", embedder)
    assert again.names == ["anna", "bert"] and len(again) == 2
    assert again.match(embedder.embed(portrait("bert")[0], [portrait("bert")[1]]))[0].identity == "bert"
    assert again.thumbnail("anna").shape == (256, 256, 3)
    assert again.thumbnail("nobody") is None
    assert [path.name for path in tmp_path.rglob(".*")] == [".lock"]


def test_an_unknown_face_is_unlike_everybody(embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery(None, embedder)
    enrol(gallery, "anna", *portrait("anna"))
    enrol(gallery, "bert", *portrait("bert"))
    picture, points = portrait("cleo")
    match = gallery.match(embedder.embed(picture, [points]))[0]
    assert match.similarity < gallery.threshold and match.second <= match.similarity


def test_an_empty_gallery_matches_nobody(embedder: EmbeddingModel) -> None:
    match = Gallery(None, embedder).match(np.zeros((2, embedder.dimension), np.float32))
    assert [m.identity for m in match] == ["", ""]


def test_negatives_refuse(embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery(None, embedder)
    enrol(gallery, "anna", *portrait("anna"))
    picture, points = portrait("anna")
    probe = embedder.embed(picture, [points], flip=True)
    assert gallery.match(probe)[0].similarity > 0.9
    enrol(gallery, "anna", picture, points, negative=True)
    assert gallery.match(probe)[0].similarity <= 0
    assert gallery.names == ["anna"]


def test_another_model_embeds_the_chips_again(
    tmp_path: Path, embedder: EmbeddingModel, other_embedder: EmbeddingModel, portrait
) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    for name in ("anna", "bert", "cleo"):
        enrol(gallery, name, *portrait(name))
    gallery.save()
    steps: list[tuple[int, int]] = []
    other = Gallery.open(tmp_path, other_embedder, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)] and len(other) == 3
    picture, points = portrait("cleo")
    assert other.match(other_embedder.embed(picture, [points]))[0].identity == "cleo"
    assert Gallery.open(tmp_path, other_embedder, progress=lambda *_: pytest.fail("embedded twice")).names


def test_a_change_on_disk_is_seen(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    first = Gallery.open(tmp_path, embedder, create=True)
    enrol(first, "anna", *portrait("anna"))
    first.save()
    assert not first.changed_on_disk()
    second = Gallery.open(tmp_path, embedder)
    enrol(second, "bert", *portrait("bert"))
    second.save()
    assert first.changed_on_disk()
    version = first.version
    first.reload()
    assert first.names == ["anna", "bert"] and first.version > version


def test_removed_people_leave_no_files(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, "anna", *portrait("anna"))
    enrol(gallery, "bert", *portrait("bert"))
    gallery.save()
    assert gallery.remove("anna") == 1 and gallery.remove("anna") == 0
    gallery.save()
    assert len(list((tmp_path / "chips").iterdir())) == 1
    assert Gallery.open(tmp_path, embedder).names == ["bert"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "people": {}}',
        '{"format": 1, "people": {"a": [{}]}}',
        '{"format": 1, "people": {"a": [{"id": "../../etc/passwd", "quality": 1, "negative": false}]}}',
        '{"format": 1, "people": {"a": 5}}',
        "\x00\x01",
    ],
)
def test_a_damaged_gallery_is_one_clear_line(tmp_path: Path, embedder: EmbeddingModel, text: str) -> None:
    (tmp_path / "gallery.json").write_text(text)
    with pytest.raises(GalleryError) as error:
        Gallery.open(tmp_path, embedder)
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


def test_damaged_embeddings_are_made_again(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, "anna", *portrait("anna"))
    gallery.save()
    (path,) = tmp_path.glob("embeddings-*.npz")
    for data in (b"", b"PK\x03\x04 no", np.random.default_rng(0).bytes(1000)):
        path.write_bytes(data)
        assert Gallery.open(tmp_path, embedder).names == ["anna"]
    np.savez(path, ids=np.array(["0" * 16]), embeddings=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert Gallery.open(tmp_path, embedder).names == ["anna"]


def test_broken_pictures_and_other_files_do_no_harm(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    broken = enrol(gallery, "anna", *portrait("anna"))
    enrol(gallery, "bert", *portrait("bert"))
    gallery.save()
    (tmp_path / "README.txt").write_text("hello")
    (tmp_path / "chips" / f"{broken.id}.png").write_bytes(b"not a picture")
    assert Gallery.open(tmp_path, embedder).names == ["anna", "bert"]  # its embedding is there
    for path in tmp_path.glob("embeddings-*.npz"):
        path.unlink()
    (tmp_path / "chips" / "holiday.png").write_bytes(b"somebody else's")
    again = Gallery.open(tmp_path, embedder)
    assert again.names == ["bert"] and "1 samples of anna" in again.complaint and "enrol them again" in again.complaint
    again.save()  # what this model cannot use another one may
    assert "anna" in json.loads((tmp_path / "gallery.json").read_text(encoding="utf-8"))["people"]
    assert (tmp_path / "chips" / "holiday.png").exists()
    enrol(again, "anna", *portrait("anna"))
    assert again.names == ["anna", "bert"] and not again.complaint


def test_a_sample_that_cannot_be_used_can_be_removed(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, "anna", *portrait("anna"))
    gallery.save()
    for path in (*tmp_path.glob("embeddings-*.npz"), *tmp_path.rglob("*.png")):
        path.unlink()
    gallery = Gallery.open(tmp_path, embedder)
    assert gallery.complaint and gallery.remove("anna") == 1
    gallery.save()
    assert not Gallery.open(tmp_path, embedder).complaint


def test_a_folder_without_a_gallery_says_what_to_do(tmp_path: Path, embedder: EmbeddingModel) -> None:
    with pytest.raises(GalleryError, match="enrol"):
        Gallery.open(tmp_path / "none", embedder)
    (tmp_path / "file").write_text("hello")
    with pytest.raises(GalleryError, match="is a file"):
        Gallery.open(tmp_path / "file", embedder, create=True)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101, "\x00", "\u200d", "a\u202eb"])
def test_impossible_names_are_refused(embedder: EmbeddingModel, portrait, name: str) -> None:
    with pytest.raises(GalleryError):
        enrol(Gallery(None, embedder), name, *portrait("anna"))


ZOE_NFC, ZOE_NFD = "Zo\u00eb", "Zoe\u0308"


def test_a_name_is_the_same_however_it_is_written(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    """macOS gives folder names in NFD, keyboards give NFC."""
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, ZOE_NFD, *portrait("anna"))
    enrol(gallery, f" {ZOE_NFC} ", *portrait("bert"))
    assert gallery.names == [ZOE_NFC]
    assert len(gallery.samples(ZOE_NFD)) == 2 and gallery.column(ZOE_NFD) == 0
    assert gallery.remove(ZOE_NFD) == 2 and gallery.names == []


def test_an_old_gallery_with_both_forms_is_one_person(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, ZOE_NFC, *portrait("anna"))
    enrol(gallery, "other", *portrait("bert"))
    gallery.save()
    path = tmp_path / "gallery.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"other"', json.dumps(ZOE_NFD, ensure_ascii=False)))
    assert len(json.loads(path.read_text(encoding="utf-8"))["people"]) == 2
    merged = Gallery.open(tmp_path, embedder)
    assert merged.names == [ZOE_NFC] and len(merged.samples(ZOE_NFC)) == 2
    match = merged.match(np.stack([merged.embedding(s) for s in merged.samples()]))
    assert {m.identity for m in match} == {ZOE_NFC} and min(m.similarity for m in match) > 0.99
    merged.save()
    assert list(json.loads(path.read_text(encoding="utf-8"))["people"]) == [ZOE_NFC]


@pytest.mark.parametrize(
    "name", ["\u0645\u0647\u200c\u0646\u0627\u0632", "\U0001f469\u200d\U0001f3a4", "Ana\u00a0B".replace("\u00a0", " ")]
)
def test_joiners_are_part_of_names(tmp_path: Path, embedder: EmbeddingModel, portrait, name: str) -> None:
    gallery = Gallery.open(tmp_path, embedder, create=True)
    enrol(gallery, name, *portrait("anna"))
    gallery.save()
    assert Gallery.open(tmp_path, embedder).names == [name]


def test_an_embedding_that_does_not_fit_is_refused(embedder: EmbeddingModel, portrait) -> None:
    chip = Chip(*portrait("anna"))
    for row in (np.zeros(7, np.float32), np.full(embedder.dimension, np.nan, np.float32)):
        with pytest.raises(GalleryError, match="fit"):
            Gallery(None, embedder).add("anna", chip, row, 1.0)


def test_names_never_become_paths(tmp_path: Path, embedder: EmbeddingModel, portrait) -> None:
    gallery = Gallery.open(tmp_path / "g", embedder, create=True)
    enrol(gallery, "../../Zoë", *portrait("anna"))
    gallery.save()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g"]
    assert Gallery.open(tmp_path / "g", embedder).names == ["../../Zoë"]
    assert json.loads((tmp_path / "g" / "gallery.json").read_text(encoding="utf-8"))["format"] == 1
    (chip,) = (tmp_path / "g" / "chips").iterdir()
    assert cv2.imread(str(chip)) is not None


def test_a_large_gallery_finds_the_same_people_as_a_full_comparison() -> None:
    class Many:
        model_id, dimension, threshold, strangers, lead, masked_less = "many", 512, 0.4, 0.0, 0.0, 0.0

        def above(self, fraction: float) -> float:
            return 0.4 * (1 + fraction)

    random = np.random.default_rng(0)
    rows = random.standard_normal((4000, 512)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    gallery = Gallery(None, Many())  # type: ignore[arg-type]
    for i, row in enumerate(rows):
        gallery.add_embedded(Sample(f"{i:016x}", f"{i % 2000:05}", 1.0, False, np.zeros((5, 2), np.float32)), row)
    noise = random.standard_normal((40, 512)).astype(np.float32)
    probes = rows[:40] + noise / np.linalg.norm(noise, axis=1, keepdims=True)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    found = gallery.match(probes)
    exact = similarity(probes, rows).max(1)
    assert [m.identity for m in found] == [f"{i:05}" for i in range(40)]
    assert np.allclose([m.similarity for m in found], exact, atol=1e-5)
    assert gallery.threshold > 0.4


def test_a_mean_keeps_the_length_of_its_parts() -> None:
    rows = np.random.default_rng(0).standard_normal((3, 5, 128)).astype(np.float32) * 2
    mean = mean_embedding(rows, [1, 2, 3])
    wanted = np.average(np.linalg.norm(rows, axis=2), axis=0, weights=[1, 2, 3])
    assert np.allclose(np.linalg.norm(mean, axis=1), wanted, rtol=1e-5)


def test_the_threshold_grows_with_the_gallery_and_falls_in_small_ones_of_ensembles_only() -> None:
    single, several = SimpleNamespace(lead=0.0), SimpleNamespace(lead=0.3)
    assert growth(FEW, single) == growth(FEW, several) == 0 and growth(500, single) == pytest.approx(0.1)
    assert growth(1, single) == growth(12, single) == 0
    assert growth(12, several) < -0.05 and growth(1, several) == growth(5, several) == pytest.approx(-0.1)
