from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from face_af_gallery.matching import similarity
from face_af_inference import dlib_graph
from face_af_inference.manifest import load_manifest
from face_af_inference.runtimes import ModelError
from face_af_perception.embedders import Embedder, open_embedder


def test_similarity_is_the_cosine_for_unit_vectors_and_orders_by_distance() -> None:
    random = np.random.default_rng(0)
    a, b = random.standard_normal((2, 6, 32)).astype(np.float32)
    ua, ub = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (a, b))
    assert np.allclose(similarity(ua, ub), ua @ ub.T, atol=1e-5)
    distance = np.linalg.norm(a[:, None] - b[None], axis=2)
    assert np.allclose(similarity(a, b), 1 - distance**2 / 2, atol=1e-4)


def test_chips_go_in_one_batch(embedder: Embedder) -> None:
    embedder.runner.batches.clear()
    rows = embedder.embed_chips([np.zeros((112, 112, 3), np.uint8)] * 5)
    assert rows.shape == (5, embedder.dimension) and embedder.runner.batches == [5]
    assert embedder.embed_chips([]).shape == (0, embedder.dimension)
    embedder.embed_chips([np.zeros((112, 112, 3), np.uint8)] * 5, flip=True)
    assert embedder.runner.batches[1:] == [8, 2]


def test_a_mirrored_face_has_the_same_embedding_with_flip(embedder: Embedder) -> None:
    chip = np.random.default_rng(0).integers(0, 255, (112, 112, 3), np.uint8)
    mirrored = np.ascontiguousarray(chip[:, ::-1])
    assert np.allclose(embedder.embed_chips([chip], flip=True), embedder.embed_chips([mirrored], flip=True), atol=1e-5)


def test_an_embedding_size_unlike_the_manifests_is_refused(make_embedder: Callable[..., Embedder]) -> None:
    with pytest.raises(ModelError, match="512"):
        make_embedder(embedding_size=512)


@pytest.fixture(scope="module")
def weights() -> Path:
    models = pytest.importorskip("face_recognition_models")
    return Path(models.face_recognition_model_location())


def test_dlibs_network_gives_dlibs_numbers(weights: Path) -> None:
    dlib = pytest.importorskip("dlib")
    chip = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    chip[40:110, 40:110] //= 3
    wanted = np.array(dlib.face_recognition_model_v1(str(weights)).compute_face_descriptor(chip))
    spec = load_manifest().choose("embedder", "dlib", [])
    embedder = open_embedder(spec, runtime="onnxruntime-cpu")
    rows = embedder.embed_chips([np.ascontiguousarray(chip[..., ::-1])] * 2)
    assert np.allclose(rows, wanted, atol=1e-5)
    assert embedder.threshold == pytest.approx(1 - 0.59**2 / 2)


@pytest.mark.parametrize("cut", [0, 100, 5_000, 1_000_000])
def test_a_truncated_dlib_file_is_one_clear_line(weights: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.dat"
    path.write_bytes(weights.read_bytes()[:cut])
    with pytest.raises(dlib_graph.DlibFileError):
        dlib_graph.convert(path)


def test_a_foreign_file_is_no_dlib_network(tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(b"\x01\x05con_4" * 100)
    with pytest.raises(dlib_graph.DlibFileError, match="not dlib"):
        dlib_graph.convert(path)
