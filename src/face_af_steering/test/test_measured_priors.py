"""What was measured with a camera before is a prior: it holds at once, and what is seen takes over."""

from __future__ import annotations

import pytest

from face_af_common.types import Box
from face_af_steering.navigation import Navigation
from face_af_steering.response import ResponseModel
from face_af_steering.subjects import Subject


def test_a_measured_response_holds_at_once_and_shortens_the_wait():
    model = ResponseModel()
    guess = model.timeout_s()
    model.expect(0.12, 0.02, 0.0)
    assert model.middle_s == pytest.approx(0.12)
    assert model.timeout_s() < 0.5 * guess


def test_what_is_seen_takes_over():
    model = ResponseModel()
    model.expect(0.12, 0.02, 0.0)
    for _ in range(20):
        model.learn(0.5)
    assert model.middle_s == pytest.approx(0.5, abs=0.02)


def test_a_measurement_that_comes_late_does_not_undo_what_was_seen():
    model = ResponseModel()
    for _ in range(6):
        model.learn(0.5)
    model.expect(0.12, 0.02, 0.4)
    assert model.middle_s == pytest.approx(0.5, abs=0.05)
    assert model.loss < 0.2


def test_a_measurement_that_no_press_confirms_is_forgotten():
    model, guessing = ResponseModel(), ResponseModel()
    model.expect(0.12, 0.02, 0.0)
    for _ in range(12):
        model.lost()
    assert model.timeout_s() >= guessing.timeout_s()
    model.learn(0.9)
    assert model.middle_s > 0.6, "one press that is seen outweighs a guess"


@pytest.mark.parametrize(("wraps", "presses"), [(True, 1), (False, 5)])
def test_a_measured_wrap_chooses_the_way(wraps, presses):
    row = [Subject(i + 1, Box(100.0 + 200 * i, 300.0, 40.0, 40.0)) for i in range(6)]
    navigation = Navigation()
    navigation.expect_wrap(wraps)
    assert len(navigation.steps(row[0], row[5], row, "auto")) == presses
