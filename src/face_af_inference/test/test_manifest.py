"""The manifest: which model is chosen, and what is said of a wrong one."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from face_af_inference.choosing import choose_embedders
from face_af_inference.manifest import load_manifest, read_manifest
from face_af_inference.model_entry import FAMILIES
from face_af_inference.runtimes import ModelError

OWN = """
models:
  mine:
    kind: detector
    family: scrfd
    file: mine.onnx
    sha256: {sha}
"""


def own(tmp_path: Path, text: str = OWN, data: bytes = b"weights") -> Path:
    (tmp_path / "mine.onnx").write_bytes(data)
    path = tmp_path / "own.yaml"
    path.write_text(text.format(sha=hashlib.sha256(b"weights").hexdigest()), encoding="utf-8")
    return path


def test_the_projects_manifest_is_whole() -> None:
    entries = load_manifest().entries
    assert {entry.kind for entry in entries} == set(FAMILIES)
    for entry in entries:
        assert entry.family in FAMILIES[entry.kind] and len(entry.sha256) == 64 and entry.licence
        assert entry.kind != "embedder" or (entry.embedding_size and entry.threshold and entry.size and entry.alignment)
        assert entry.source is None or entry.source.url.startswith("https://")


def test_without_weights_auto_takes_what_comes_in_packages(tmp_path: Path) -> None:
    pytest.importorskip("face_recognition_models")
    manifest = load_manifest()
    detector = manifest.choose("detector", "auto", [tmp_path])
    embedder = manifest.choose("embedder", "auto", [tmp_path])
    assert (detector.name, embedder.name) == ("centerface", "dlib")
    assert embedder.files["landmarks"].is_file() and embedder.model_id == f"dlib:{embedder.sha256[:12]}"


def test_own_manifest_comes_first_and_is_found_beside_its_file(tmp_path: Path) -> None:
    manifest = load_manifest(own(tmp_path))
    spec = manifest.choose("detector", "auto", [])
    assert (spec.name, spec.path) == ("mine", tmp_path / "mine.onnx")
    assert manifest.choose("detector", "centerface", []).name == "centerface"


def test_wrong_checksum_is_an_error_when_named_and_a_warning_with_auto(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = load_manifest(own(tmp_path, data=b"something else"))
    with pytest.raises(ModelError) as error:
        manifest.choose("detector", "mine", [])
    assert "wrong checksum" in str(error.value) and "\n" not in str(error.value)
    with caplog.at_level(logging.WARNING):
        assert manifest.choose("detector", "auto", []).name == "centerface"
    assert "wrong checksum" in caplog.text


def test_a_right_file_further_on_counts(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN.format(sha=hashlib.sha256(b"weights").hexdigest()), encoding="utf-8")
    manifest = load_manifest(path)
    for folder, data in (("a", b"something else"), ("b/pack", b"weights")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "mine.onnx").write_bytes(data)
    assert manifest.choose("detector", "mine", [tmp_path / "a", tmp_path / "b"]).path == tmp_path / "b/pack/mine.onnx"


def test_group_and_family_take_the_best_that_is_there(tmp_path: Path) -> None:
    text = """
models:
  best: {{kind: embedder, family: arcface, group: mobilefacenet, file: best.onnx, embedding_size: 512}}
  mine: {{kind: embedder, family: arcface, group: mobilefacenet, file: mine.onnx, embedding_size: 128}}
"""
    manifest = load_manifest(own(tmp_path, text))
    assert manifest.choose("embedder", "mobilefacenet", []).name == "mine"
    (tmp_path / "best.onnx").write_bytes(b"x")
    assert manifest.choose("embedder", "arcface", [tmp_path]).name == "best"
    assert manifest.choose("embedder", "mine", [tmp_path]).name == "mine"


def test_unknown_name_and_missing_file_say_what_there_is(tmp_path: Path) -> None:
    manifest = load_manifest()
    with pytest.raises(ModelError) as error:
        manifest.choose("detector", "yolo", [])
    assert "scrfd" in str(error.value)
    with pytest.raises(ModelError) as error:
        manifest.choose("embedder", "w600k_r50", [tmp_path])
    assert "w600k_r50.onnx" in str(error.value) and "fetch-models" in str(error.value)
    with pytest.raises(ModelError):
        manifest.entry("nobody")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("models: [", "YAML"),
        ("- a list", "models:"),
        ("models: {a: 3}", "needed below"),
        ("models: {a: {kind: detector, family: scrfd, file: x, colour: rgb}}", "colour"),
        ("models: {a: {kind: detector, file: x}}", "family"),
        ("models: {a: {kind: eye, family: scrfd, file: x}}", "eye"),
        ("models: {a: {kind: detector, family: arcface, file: x}}", "arcface"),
        ("models: {a: {kind: embedder, family: arcface, file: x, metric: manhattan}}", "manhattan"),
        ("models: {a: {kind: embedder, family: arcface, file: x, std: 0}}", "std"),
        ("models: {a: {kind: embedder, family: arcface, file: x, size: 112}}", "a"),
        ("models: {a: {kind: embedder, family: arcface, file: x, source: [1]}}", "a"),
        ("models: {a: {kind: embedder, family: arcface, file: x, mean: warm}}", "warm"),
    ],
)
def test_mistakes_in_a_manifest_are_one_line(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        read_manifest(path)
    assert word in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)


def test_absent_manifest(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load_manifest(tmp_path / "absent.yaml")


ENSEMBLE = """
models:
  mine: {{kind: embedder, family: arcface, file: mine.onnx, sha256: {sha}, threshold: 0.4}}
  other: {{kind: embedder, family: arcface, file: mine.onnx, sha256: {sha}, threshold: 0.4}}
  absent: {{kind: embedder, family: arcface, file: absent.onnx, threshold: 0.4}}
ensembles:
  mine+absent: {{threshold: 3}}
  mine+other: {{threshold: 5, lead: 0.2, weights: [1.0, 0.5], source: photographs}}
"""


def test_several_embedders_are_chosen_together(tmp_path: Path) -> None:
    manifest = load_manifest(own(tmp_path, ENSEMBLE))
    for name in ("auto", "mine+other"):
        specs, together = choose_embedders(manifest, name, [])
        assert [spec.name for spec in specs] == ["mine", "other"] and together is not None and together.threshold == 5
    specs, together = choose_embedders(manifest, "other + mine", [])
    assert together is not None and together.weights == (0.5, 1.0)
    assert together.upper is None
    specs, together = choose_embedders(manifest, "other", [])
    assert len(specs) == 1 and together is None
    for wrong in ("mine+mine", "mine+absent", "mine+", "+".join(["mine"] * 9)):
        with pytest.raises(ModelError):
            choose_embedders(manifest, wrong, [])


def test_auto_takes_the_users_own_embedder_before_an_ensemble_without_it(tmp_path: Path) -> None:
    text = ENSEMBLE.split("ensembles:")[0]
    specs, together = choose_embedders(load_manifest(own(tmp_path, text)), "auto", [])
    assert [spec.name for spec in specs] == ["mine"] and together is None


@pytest.mark.parametrize(
    "wrong",
    [
        "[]",
        "{mine: {threshold: 1}}",
        "{a+b: {threshold: x}}",
        "{a+b: {share: 1}}",
        "{a+b: {threshold: 1, upper: 8.5}}",
        "{a+b: {threshold: 1, upper: {whole: 1}}}",
        "{a+b: {threshold: 1, upper: {threshold: 9, whole: -1}}}",
        "{a+b: {threshold: 1, upper: {threshold: 9, margin: .nan}}}",
        "{a+b: {threshold: 1, upper: {threshold: .nan}}}",
        "{a+b: {threshold: 1, upper: {threshold: 9, whole: 1, unmasking: maybe}}}",
        "{a+b: {threshold: 1, upper: {threshold: 9, unmasking: true}}}",
        "{a+b: {threshold: 1, upper: {threshold: 9, share: 1}}}",
    ],
)
def test_a_wrong_ensemble_is_one_line(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"models: {{}}\nensembles: {wrong or None}\n", encoding="utf-8")
    if wrong == "[]":
        assert load_manifest(path).ensembles  # the project's own
        return
    with pytest.raises(ModelError, match="ensembles"):
        load_manifest(path)


@pytest.mark.parametrize("package", ["os.path", "a b", "../x", "5", "", "[1]"])
def test_a_package_is_a_plain_name(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for a dotted name imports its parent: a manifest would run code."""
    (tmp_path / "evil_parent").mkdir()
    (tmp_path / "evil_parent" / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = own(tmp_path, OWN + f"    package: {package or 'evil_parent.weights'}\n")
    with pytest.raises(ModelError, match="plain name") as error:
        load_manifest(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("key", ["mean", "std", "score", "nms", "threshold"])
def test_numbers_are_numbers(tmp_path: Path, key: str) -> None:
    with pytest.raises(ModelError, match=key):
        load_manifest(own(tmp_path, OWN + f"    {key}: .nan\n"))
