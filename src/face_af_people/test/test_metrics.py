"""The figures of verification, against what they mean."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from face_af_gallery.metrics import best_accuracy, limit_at, roc, threshold_at

scores = st.lists(st.floats(-1, 1).map(lambda v: round(v, 3)), min_size=1, max_size=40).map(np.array)


@given(scores, scores)
def test_curve_counts_what_it_says(genuine: np.ndarray, impostor: np.ndarray) -> None:
    curve = roc(genuine, impostor)
    for threshold, false, true in zip(curve.threshold, curve.false_accept, curve.true_accept, strict=True):
        assert np.isclose(false, (impostor >= threshold).mean()) and np.isclose(true, (genuine >= threshold).mean())
    assert 0 <= curve.equal_error()[0] <= 1


@given(scores, scores, st.floats(0, 0.99))
def test_thresholds_keep_the_rate(genuine: np.ndarray, impostor: np.ndarray, rate: float) -> None:
    limit = limit_at(impostor, rate)
    used = threshold_at(impostor, rate, genuine)
    assert (impostor >= limit).mean() <= rate and (impostor >= used).mean() <= rate
    assert (genuine >= used).sum() == (genuine >= limit).sum()


@given(scores, scores)
def test_best_accuracy_is_reached(genuine: np.ndarray, impostor: np.ndarray) -> None:
    best, threshold = best_accuracy(genuine, impostor)
    right = (genuine >= threshold).sum() + (impostor < threshold).sum()
    assert np.isclose(best, right / (len(genuine) + len(impostor)))
    for other in (*genuine, *impostor):
        assert (genuine >= other).sum() + (impostor < other).sum() <= right
