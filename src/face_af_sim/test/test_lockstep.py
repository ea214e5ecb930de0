"""When the next frame may be shown."""

from __future__ import annotations

from face_af_sim.lockstep import Lockstep, Wait


def test_a_frame_waits_for_its_own_answer() -> None:
    step = Lockstep()
    step.shown(100)
    assert step.waits_for is Wait.STEERING
    step.state(99, 0)
    assert step.waits_for is Wait.STEERING
    step.state(100, 0)
    assert step.waits_for is Wait.NOTHING


def test_a_press_must_have_been_delivered_when_there_is_a_driver() -> None:
    step = Lockstep()
    step.shown(1)
    step.state(1, 1)
    assert step.waits_for is Wait.NOTHING
    step.status(0)
    assert step.waits_for is Wait.PRESS
    step.status(1)
    assert step.waits_for is Wait.NOTHING


def test_the_order_of_status_and_answer_does_not_matter() -> None:
    step = Lockstep()
    step.status(7)
    step.shown(1)
    step.state(1, 7)
    assert step.waits_for is Wait.NOTHING


def test_a_press_that_is_given_up_does_not_stop_the_next_frames() -> None:
    step = Lockstep(driver=True)
    step.shown(1)
    step.state(1, 3)
    assert step.waits_for is Wait.PRESS
    step.give_up_press()
    assert step.waits_for is Wait.NOTHING
    step.shown(2)
    step.state(2, 3)
    assert step.waits_for is Wait.NOTHING
    step.shown(3)
    step.state(3, 4)
    assert step.waits_for is Wait.PRESS


def test_an_observer_is_waited_for_where_there_is_one() -> None:
    step = Lockstep(observed=True)
    step.shown(1)
    step.seen(1)
    assert step.waits_for is Wait.STEERING
    step.state(1, 0)
    assert step.waits_for is Wait.NOTHING
    step.shown(2)
    step.state(2, 0)
    step.seen(1)
    assert step.waits_for is Wait.OBSERVER
    step.seen(2)
    step.seen(1)
    assert step.waits_for is Wait.NOTHING


def test_a_steering_node_that_came_back_counts_anew() -> None:
    step = Lockstep(driver=True)
    step.shown(1)
    step.state(1, 9)
    step.give_up_press()
    step.shown(2)
    step.state(2, 1)
    assert step.waits_for is Wait.PRESS
    step.status(1)
    assert step.waits_for is Wait.NOTHING
