"""Similarities of several models on one scale."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from face_af_gallery.calibration import USUAL_THRESHOLD, Calibration, PublishedScale, fit, weights
from face_af_gallery.matching import Lead


def test_the_fit_finds_the_log_odds_that_made_the_pairs() -> None:
    random = np.random.default_rng(1)
    # two normal distributions of one width have log-odds that are straight in the similarity
    genuine, impostor = random.normal(0.6, 0.15, 40_000), random.normal(0.0, 0.15, 400_000)
    found = fit(genuine, impostor)
    assert 0.7 < found.slope / (0.6 / 0.15**2) <= 1  # the ridge makes it a little less sure
    assert found.log_odds(0.3) == pytest.approx(0.0, abs=0.2)


def test_pairs_that_part_completely_stay_finite_and_one_kind_alone_is_refused() -> None:
    found = fit([0.8, 0.9], [0.0, 0.1])
    assert 0 < found.slope < 1e3 and found.log_odds(0.85) > 2 > -2 > found.log_odds(0.05)
    with pytest.raises(ValueError, match="pairs"):
        fit([], [0.1])


@pytest.mark.parametrize("lead", [0.0, 0.3])
def test_the_threshold_in_log_odds_is_the_usual_one_on_the_common_scale(lead: float) -> None:
    calibrations, strangers, threshold = [Calibration(24, -7), Calibration(39, -32)], [0.0, 0.6], 6.0
    w = weights(calibrations, strangers, threshold, lead)
    likeness = lambda similarities: 1 - float(w @ (1 - np.array(similarities)))  # noqa: E731
    assert likeness([1, 1]) == 1
    mean = likeness(strangers)
    least = USUAL_THRESHOLD - 0.5 * (USUAL_THRESHOLD - mean)
    # a second person at that likeness, and a best one whose log-odds with the lead are just the threshold
    second = least
    odds = lambda value: sum(c.slope + c.offset for c in calibrations) - (1 - value) * calibrations[0].slope / w[0]  # noqa: E731
    best = (threshold + lead * odds(second)) / (1 + lead)
    top = 1 - (sum(c.slope + c.offset for c in calibrations) - best) * w[0] / calibrations[0].slope
    scores = Lead(lead, least).added(np.array([[second, top]], np.float32))
    assert scores[0, 1] == pytest.approx(USUAL_THRESHOLD, abs=1e-4)


def test_an_impossible_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="above what"):
        weights([Calibration(10, -5)], [0.0], 6.0)


def test_the_lead_helps_who_is_alone_and_never_lifts_above_one() -> None:
    lead = Lead(0.3, 0.1)
    alone, among = lead.added(np.array([[0.5, 0.1], [0.5, 0.45]], np.float32))
    assert alone[0] > among[0] > among[1]
    assert Lead(0.3, 0.1).added(np.array([[1.0], [0.1]], np.float32)) == pytest.approx(np.array([[1.0], [0.1 / 1.27]]))
    assert np.array_equal(Lead().added(np.array([[0.5, 0.2]], np.float32)), np.array([[0.5, 0.2]], np.float32))


@pytest.mark.parametrize(("strangers", "threshold"), [(0.0, 0.42), (0.6, 0.826), (-0.05, 0.42)])
def test_what_is_published_means_the_same_for_every_model(strangers: float, threshold: float) -> None:
    scale = PublishedScale(strangers, threshold)
    assert [scale.published(v) for v in (strangers, threshold, 1.0)] == pytest.approx([0, 0.42, 1])
    values = np.linspace(-1, 1, 201)
    shown = [scale.published(v) for v in values]
    assert all(a <= b for a, b in itertools.pairwise(shown)) and min(shown) >= -1 and max(shown) <= 1
    for value in (0.1, 0.3, 0.42, 0.6, 0.95):
        assert scale.published(scale.internal(value)) == pytest.approx(value)
