"""A guided session against a row of subjects that answers presses with a delay, loses some, and wraps or does not."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from face_af_common.types import ActionKind, AfBox, AfState, Box
from nikon_mcn10_driver.capture.try_profile import Eyes, Session, Stopped, try_profile
from nikon_mcn10_driver.profile import Button, Profile, Step
from nikon_mcn10_driver.profile_format import format_profile, load_profile


class Row(Eyes):
    """Four subjects side by side; time passes with each frame of 1/30 s."""

    def __init__(self, wrap=False, swapped=False, answers=(), lost=(), walk=0.0):
        self.time, self.chosen, self.presses = 100.0, 1, 0
        self.wrap, self.swapped, self.lost, self.walk = wrap, swapped, lost, walk
        self.answers = list(answers)
        self.due: list[tuple[float, int]] = []

    def now(self):
        return self.time

    def press(self, button):
        self.presses += 1
        if self.answers:
            answer = self.answers.pop(0)
            if answer:
                return answer
        if self.presses not in self.lost:
            way = {"left": -1, "right": 1}[button] * (-1 if self.swapped else 1)
            self.due.append((self.time + 0.12, way))
        return ""

    def look(self, seconds):
        self.time += 1 / 30
        while self.due and self.due[0][0] <= self.time:
            to = self.chosen + self.due.pop(0)[1]
            self.chosen = to % 4 if self.wrap else min(max(to, 0), 3)
        return self.time, tuple(
            AfBox(
                AfState.ACTIVE_FOCUS if i == self.chosen else AfState.DETECTED,
                Box(100 + 200 * i + self.walk * (self.time - 100), 50, 40, 40),
            )
            for i in range(4)
        )


@pytest.mark.parametrize("wrap", [False, True])
def test_response_loss_and_wrap_are_measured(wrap):
    measured = Session(Row(wrap, lost=(2,)), lambda text: None).run(["right", "left"], 8)
    assert measured.response == pytest.approx(0.12, abs=0.04)
    assert measured.wrap is wrap
    assert measured.loss == pytest.approx(1 / measured.presses, abs=1e-3)


def test_people_who_walk_are_not_taken_for_moves_of_the_selection():
    measured = Session(Row(walk=150.0), lambda text: None).run(["right", "left"], 8)
    assert measured.response == pytest.approx(0.12, abs=0.04)
    assert measured.loss == 0.0 and measured.wrap is False


def test_one_move_of_the_camera_itself_does_not_end_the_session():
    row = Row()
    row.due = [(102.2, -1)]
    measured = Session(row, lambda text: None).run(["right", "left"], 8)
    assert measured.response == pytest.approx(0.12, abs=0.06)


def test_the_session_stops_at_the_first_unknown_answer():
    row = Row(answers=["", "the camera answers 0xA004"])
    with pytest.raises(Stopped, match="0xA004"):
        Session(row, lambda text: None).run(["right"], 8)
    assert row.presses == 2


def test_swapped_buttons_are_noticed():
    with pytest.raises(Stopped, match="wrong side"):
        Session(Row(swapped=True), lambda text: None).run(["right"], 4)


def test_figures_are_written_into_the_profile(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    buttons = {kind: Button((Step(0x9001, (int(kind),)),)) for kind in (ActionKind.LEFT, ActionKind.RIGHT)}
    path.write_text(format_profile(Profile("mine", "a test", buttons)))
    assert try_profile(str(path), ["right", "left"], 6, lambda: nullcontext(Row())) == 0
    assert load_profile(str(path), tmp_path).measured.response == pytest.approx(0.12, abs=0.04)
    before = path.read_text()
    assert try_profile(str(path), ["left"], 6, lambda: nullcontext(Row(answers=["no"]))) == 1
    assert path.read_text() == before
    assert try_profile(str(path), ["fn1"], 6, lambda: nullcontext(Row())) == 2
