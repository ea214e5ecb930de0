from __future__ import annotations

from face_af_common.types import Box, Face
from face_af_recording.label_scoring import found, judge_names

ANNA, BORIS = Box(100, 100, 80, 100), Box(400, 100, 80, 100)
APART = [("anna", ANNA), ("boris", BORIS)]
ONE_BEHIND_THE_OTHER = [("anna", ANNA), ("boris", Box(120, 100, 80, 100))]


def face(box: Box, identity: str) -> Face:
    return Face(1, box, identity=identity)


def test_names_are_judged_by_place() -> None:
    assert judge_names(APART, "anna", [face(ANNA, "anna"), face(BORIS, "")]) == (True, 0)
    assert judge_names(APART, "anna", [face(ANNA, ""), face(BORIS, "anna")]) == (False, 1)
    assert judge_names(APART, "anna", [face(Box(900, 900, 50, 50), "anna")]) == (False, 0)


def test_two_people_in_one_place_may_have_either_name() -> None:
    assert judge_names(ONE_BEHIND_THE_OTHER, "anna", [face(ANNA, "boris")]) == (False, 0)
    assert judge_names(ONE_BEHIND_THE_OTHER, "anna", [face(ANNA, "anna")]) == (True, 0)
    assert judge_names(ONE_BEHIND_THE_OTHER, "anna", [face(ANNA, "carla")]) == (False, 1)


def test_a_face_is_found_where_one_was_seen() -> None:
    assert found(ANNA, [face(Box(110, 105, 80, 100), "")])
    assert not found(ANNA, [face(BORIS, "anna")])
    assert not found(ANNA, [])
