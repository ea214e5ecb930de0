"""Whole faces guessed from masked ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from face_af_perception import unmasking

SIZES = {"one:1": 3, "two:2": 5}
D = sum(SIZES.values())


@pytest.fixture
def examples() -> tuple[np.ndarray, np.ndarray]:
    """Masked faces whose bare ones are a linear function of them, and a little noise."""
    random = np.random.default_rng(2)
    masked = random.standard_normal((400, 2 * D)).astype(np.float32)
    mixed = masked @ random.standard_normal((2 * D, D)) + 3.0
    return masked, (mixed + 0.01 * random.standard_normal(mixed.shape)).astype(np.float32)


def parts(rows: np.ndarray) -> list[np.ndarray]:
    return np.split(rows, [3, 8, 11], axis=1)


def test_bare_faces_are_guessed_from_masked_ones(examples: tuple[np.ndarray, np.ndarray]) -> None:
    masked, bare = examples
    fitted = unmasking.fit(masked[:300], bare[:300], SIZES, 1e-6)
    one, two, *wholes = parts(masked[300:])
    guessed = fitted.whole([one, two], wholes)
    assert [part.shape for part in guessed] == [(100, 3), (100, 5)]
    assert np.abs(np.concatenate(guessed, 1) - bare[300:]).max() < 0.1


def test_members_may_come_in_another_order(examples: tuple[np.ndarray, np.ndarray]) -> None:
    fitted = unmasking.fit(*examples, SIZES, 0.1)
    one, two, whole_one, whole_two = parts(examples[0])
    first, second = fitted.whole([one, two], [whole_one, whole_two])
    other = fitted.ordered(["two:2", "one:1"]).whole([two, one], [whole_two, whole_one])
    assert np.allclose(other[0], second, atol=1e-5) and np.allclose(other[1], first, atol=1e-5)


def test_what_is_written_is_read(
    examples: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = unmasking.fit(*examples, SIZES, 0.1)
    fitted.save(tmp_path / "unmasking.npz")
    monkeypatch.setattr(unmasking, "FITTED", tmp_path / "unmasking.npz")
    unmasking.fitted.cache_clear()
    try:
        again = unmasking.unmasking_for(["two:2", "one:1"])
        assert again is not None and again.models == ("two:2", "one:1") and again.sizes == (5, 3)
        assert np.allclose(again.ordered(list(SIZES)).weights, fitted.weights, atol=2e-3)
        assert unmasking.unmasking_for(["one:1"]) is None and unmasking.unmasking_for(["one:1", "two:3"]) is None
    finally:
        unmasking.fitted.cache_clear()


def test_the_shipped_one_is_of_the_shipped_ensemble() -> None:
    fitted = unmasking.fitted()
    assert [name.split(":")[0] for name in fitted.models] == ["mobilefacenet_128", "dlib"]
    assert fitted.weights.shape == (2 * sum(fitted.sizes), sum(fitted.sizes)) and np.isfinite(fitted.weights).all()
