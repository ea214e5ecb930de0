"""What a node concludes from whom it hears, and from what those say about themselves."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from face_af_common.ears import Ears

NAMES = ("cam/capture", "cam/overlay", "cam/steering", "other/overlay")


class Life:
    """A node ``cam/perception`` among others, each of which speaks once a second."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ears = Ears("cam/perception", ["image_raw"], self.now)
        self.heard = set(NAMES)
        self.hear_capture: set[str] = {"cam/overlay"}
        self.listed = set(NAMES)
        self.publishers = {"cam/capture"}
        self.pictures = True
        self.sends = True

    def look(self) -> str:
        return self.ears.missed(self.now, lambda: self.listed, lambda topic: self.publishers)

    def go_on(self, seconds: float, each: Callable[[], None] | None = None) -> str:
        """The first complaint, or "" where there is none for so long."""
        for step in range(round(seconds / 0.2)):
            self.now += 0.2
            if each is not None:
                each()
            if self.pictures:
                self.ears.got("image_raw", self.now)
            if step % 5 == 0:
                for name in self.heard:
                    hears = ["cam/capture"] if name in self.hear_capture else []
                    self.ears.heard(self.now, name, self.sends and name == "cam/capture", hears)
            if complaint := self.look():
                return complaint
        return ""

    def stand_still(self, seconds: float = 2.0) -> None:
        self.now += seconds
        assert self.look() == ""


def test_who_hears_everybody_and_gets_pictures_goes_on() -> None:
    assert Life().go_on(100.0) == ""


def test_who_hears_nobody_after_it_stood_still_knows_it_soon() -> None:
    life = Life()
    life.go_on(10.0)
    life.heard.clear()
    life.stand_still()
    assert life.go_on(1.4) == ""
    assert life.go_on(0.6) == "stood still for 2.0 s and hears nobody since"


def test_what_was_waiting_when_it_woke_up_is_not_heard() -> None:
    life = Life()
    life.go_on(10.0)
    life.heard.clear()
    life.stand_still()
    for name in NAMES:
        life.ears.heard(life.now, name, True, NAMES)
    assert "hears nobody" in life.go_on(2.0)


def test_time_in_which_it_stands_still_again_does_not_count() -> None:
    life = Life()
    life.heard.clear()
    for _ in range(5):
        life.stand_still()
        assert life.go_on(1.4) == ""


def test_who_is_alone_goes_on() -> None:
    life = Life()
    life.heard, life.listed, life.publishers = set(), set(), set()
    life.stand_still()
    assert life.go_on(20.0) == ""


def test_a_pair_whose_other_died_goes_on_and_three_do_not_fall_silent() -> None:
    life = Life()
    life.go_on(10.0)
    life.heard, life.listed = set(), {"cam/capture"}  # a dead one is listed for a while
    assert life.go_on(20.0) == ""
    life.listed.add("cam/overlay")
    assert life.go_on(1.0) == "hears nobody any more"


def test_who_never_hears_anybody_from_its_start_knows_it() -> None:
    life = Life()
    life.heard.clear()
    assert life.go_on(4.8) == ""
    assert life.go_on(0.6) == "hears nobody any more"


def test_one_whom_others_hear_is_missed() -> None:
    life = Life()
    life.go_on(10.0)
    life.heard.remove("cam/capture")
    assert life.go_on(3.0) == ""
    assert life.go_on(4.0) == "does not get what cam/capture says"


def test_one_who_died_is_not_missed() -> None:
    life = Life()
    life.go_on(10.0)
    life.heard.remove("cam/capture")
    life.hear_capture.clear()
    life.pictures = False
    assert life.go_on(60.0) == ""


def test_who_comes_back_later_to_us_than_to_others_is_waited_for() -> None:
    life = Life()
    for _ in range(5):
        life.heard.discard("cam/capture")
        assert life.go_on(3.0) == ""
        life.heard.add("cam/capture")
        assert life.go_on(3.0) == ""


def test_the_nodes_of_another_camera_are_not_missed() -> None:
    life = Life()
    life.heard.remove("other/overlay")
    assert life.go_on(20.0, lambda: life.ears.heard(life.now, "cam/steering", True, ["other/overlay"])) == ""


def test_pictures_that_are_sent_and_do_not_come_are_missed() -> None:
    life = Life()
    life.go_on(10.0)
    life.pictures = False
    assert life.go_on(4.4) == ""
    assert life.go_on(1.0) == "does not get the image_raw of cam/capture"


def test_a_camera_that_sends_nothing_is_not_missed() -> None:
    life = Life()
    life.pictures = life.sends = False
    assert life.go_on(60.0) == ""


def test_pictures_of_somebody_who_does_not_report_are_not_missed() -> None:
    life = Life()
    life.pictures, life.publishers = False, {"cam/v4l2_camera"}
    assert life.go_on(60.0) == ""


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.booleans(), st.floats(0.0, 3.0)), max_size=60))
def test_whatever_others_say_it_goes_on_while_it_hears_them_and_gets_pictures(
    said: list[tuple[str, bool, float]],
) -> None:
    life = Life()
    for name, sends, pause in said:
        life.ears.heard(life.now, name, sends, NAMES)
        assert life.go_on(pause) == ""


def test_nothing_grows_with_the_names_that_are_heard() -> None:
    life = Life()
    for n in range(2000):
        life.ears.heard(life.now, f"cam/{n}", True, [f"cam/{n}", f"x/{n}"])
        life.go_on(0.2)
    kept = (life.ears._heard, life.ears._told, life.ears._sends, life.ears._doubts)
    assert max(map(len, kept)) < 40  # those of the last five seconds
