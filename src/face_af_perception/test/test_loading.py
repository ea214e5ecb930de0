"""Loading models and gallery in a thread: what fails is one line, and is tried again."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from face_af_inference.runtimes import ModelError
from face_af_perception import loading
from face_af_perception.loading import Loaded, Loader
from face_af_perception.params import PerceptionNodeParams


def taken(loader: Loader) -> Loaded | None:
    """What comes out in the end."""
    while loader.busy:
        found = loader.take()
        if found is not None:
            return found
        time.sleep(0.01)
    return None


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    fake = SimpleNamespace(
        embedder=SimpleNamespace(model_id="m:1", dimension=16, members=(), lead=0.0, upper=None),
        warm_up=lambda: None,
    )
    monkeypatch.setattr(loading.FaceAnalyser, "of", lambda params, **more: fake)
    return fake


def test_models_that_fail_are_tried_again_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Exception] = [ModelError("no file"), MemoryError("too large")]
    monkeypatch.setattr(loading.FaceAnalyser, "of", lambda params, **more: (_ for _ in ()).throw(errors.pop(0)))
    now = [100.0]
    monkeypatch.setattr(loading.time, "monotonic", lambda: now[0])
    loader = Loader(lambda line: None)
    for line, wait in (("no file", loading.RETRY_S[0]), ("MemoryError", loading.RETRY_S[1])):
        loader.start(PerceptionNodeParams())
        assert taken(loader) is None and line in loader.model_problem
        assert not loader.may_retry
        now[0] += wait + 0.1
        assert loader.may_retry


def test_a_gallery_that_cannot_be_read_leaves_the_models(models: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    loader = Loader(lambda line: None)
    loader.start(PerceptionNodeParams(gallery=str(tmp_path / "file")))
    assert taken(loader) == (models, None)
    assert "is a file" in loader.gallery_problem and not loader.wants_gallery(None)
    loader.start(PerceptionNodeParams(gallery=str(tmp_path / "g")), models)  # type: ignore[arg-type]
    found = taken(loader)
    assert found is not None and found[1] is not None and loader.gallery_problem == ""


def test_loading_does_not_wait(models: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = threading.Event()
    models.warm_up = go.wait
    loader = Loader(lambda line: None)
    loader.start(PerceptionNodeParams(gallery=str(tmp_path / "g")))
    assert loader.busy and loader.take() is None and loader.busy
    go.set()
    assert taken(loader) is not None and not loader.busy and loader.take() is None
    loader.blame("the network gives nonsense")
    assert loader.model_problem and not loader.may_retry
