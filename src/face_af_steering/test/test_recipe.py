"""Recipes: what they mean, and what is said about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af_common.params import ParamError, changed
from face_af_common.types import Box, Face
from face_af_steering.params import SteeringNodeParams
from face_af_steering.recipe import RecipeError, RecipeRunner, find, load, parse

_RECIPES = Path(__file__).resolve().parents[3] / "config" / "recipes"


def _faces(*names: str) -> list[Face]:
    return [Face(i + 1, Box(200.0 * i, 0, 100 + i, 100), identity=name) for i, name in enumerate(names)]


def _follow(text: str) -> RecipeRunner:
    return RecipeRunner(parse(text, "test"))


def test_a_name_is_the_same_however_it_is_written() -> None:
    """Editors on macOS may write NFD; the names of faces are NFC."""
    assert _follow("target: [Zoe\u0308]").target(0.0, _faces("ben", "Zo\u00eb")) == "Zo\u00eb"


def test_the_first_in_sight_wins_after_the_hold_time() -> None:
    runner = _follow("target: [anna, ben]\nhold_s: 2.0")
    assert runner.target(0.0, _faces("ben", "zoe")) == "ben"
    assert runner.target(1.0, _faces("ben", "anna")) == "ben"
    assert runner.target(2.9, _faces("ben", "anna")) == "ben"
    assert runner.target(3.1, _faces("ben", "anna")) == "anna"
    assert runner.target(4.0, _faces("ben")) == "anna"
    assert runner.target(4.5, _faces("ben", "anna")) == "anna"
    assert runner.target(5.0, _faces("ben")) == "anna"
    assert runner.target(7.1, _faces("ben")) == "ben"


def test_groups_keep_whom_they_have() -> None:
    runner = _follow("groups: {band: [ben, carla]}\ntarget: band\nhold_s: 0")
    assert runner.target(0.0, _faces("ben", "carla")) == "carla"
    assert runner.target(1.0, _faces("carla", "ben")) == "carla"
    assert runner.target(2.0, _faces("ben")) == "carla", "she was in sight until now"
    assert runner.target(2.1, _faces("ben")) == "ben"


def test_time_line() -> None:
    runner = _follow('timeline: "0:00-2:30 person_a, then person_b"')
    everybody = _faces("person_a", "person_b")
    assert runner.target(1000.0, everybody) == "person_a"
    assert runner.target(1149.9, everybody) == "person_a"
    assert runner.target(1150.1, everybody) == "person_b"
    assert runner.target(1000.0, everybody) == "person_a"


def test_time_line_with_lists_gaps_and_nobody() -> None:
    runner = _follow("timeline:\n  - 0:10-0:20: [ben, anna]\n  - 0:30-0:40 none\n  - then largest_known")
    faces = _faces("", "anna")
    assert [runner.target(t, faces) for t in (0, 12, 25, 35, 50)] == ["", "anna", "", "", "anna"]


def test_largest_known_leaves_strangers_out() -> None:
    assert _follow("target: largest known").target(0.0, _faces("anna", "ben", "")) == "ben"
    assert _follow("target: none").target(0.0, _faces("anna")) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "keys are needed"),
        ("- a", "line 1: keys are needed"),
        ("tagret: a", "line 1: there is no key tagret"),
        ("target: a\ntimeline: 0:00-1:00 b", "either target or timeline"),
        ("target: a\n\nhold_s: soon", "line 3: hold_s"),
        ("target: a\nhold_s: nan", "line 2: hold_s"),
        ("target: [a, [b]]", "target: a text is needed"),
        ("target: []", "at least one name"),
        ("target: a\ntarget: b", "line 2: target is there twice"),
        ("groups:\n  none: [a]\ntarget: a", "line 2: groups.none"),
        ("timeline:\n  - 0:00-0:30 a\n  - 0:10-0:50 b", "line 3: timeline.*before the entry above"),
        ("timeline:\n  - 0:30-0:10 a", "line 2: timeline.*ends before it begins"),
        ("timeline:\n  - then a\n  - then b", "line 3: timeline.*never comes"),
        ("timeline:\n  - soon a", "line 2: timeline.*not like"),
        ("target: [a", "line 1: broken YAML"),
    ],
)
def test_errors_name_line_and_key(text: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        parse(text, "x")


def test_tags_run_nothing() -> None:
    assert parse("target: !!python/object/apply:os.system [ls]", "x").people == ["ls"]


@given(st.text(alphabet="targe: []{}-0123456789,\n\"'&*!|>abhold_simnu", max_size=80))
def test_any_text_is_a_recipe_or_an_error(text: str) -> None:
    try:
        recipe = parse(text, "x")
    except RecipeError:
        return
    RecipeRunner(recipe).target(0.0, _faces("a"))


def test_the_examples_are_good(tmp_path: Path) -> None:
    names = sorted(p.stem for p in _RECIPES.glob("*.yaml"))
    assert names
    for name in names:
        recipe = load(find(name, _RECIPES))
        assert recipe.name == name and recipe.description
    with pytest.raises(RecipeError, match=r"there are: .*time_line"):
        find("nope", _RECIPES)
    with pytest.raises(RecipeError, match="cannot be read"):
        load(tmp_path / "absent.yaml")


def test_the_next_step_is_told() -> None:
    runner = _follow("timeline:\n  - 0:00-1:30 anna\n  - 1:30-2:00 ben\n  - then: [cleo, largest known]")
    assert runner.next_step(0.0) == ""
    runner.target(100.0, [])
    assert runner.next_step(100.0) == "1:30 ben"
    assert runner.next_step(191.0) == "2:00 cleo, largest known"
    assert runner.next_step(230.0) == ""


def test_whoever_speaks_and_is_seen_becomes_the_target_after_the_hold_time() -> None:
    runner = _follow("target: [speaking, anna]\nhold_s: 1.5")
    everybody = _faces("anna", "ben", "zoe")
    assert runner.target(0.0, everybody) == "anna"
    assert runner.target(1.0, everybody, "ben") == "anna"
    assert runner.target(2.4, everybody, "ben") == "anna"
    assert runner.target(2.6, everybody, "ben") == "ben"
    assert runner.target(3.0, everybody) == "ben"  # a breath
    assert runner.target(3.5, everybody, "ben") == "ben"
    assert runner.target(4.0, everybody, "carla") == "ben"  # heard, but not in sight
    assert runner.target(5.6, everybody, "carla") == "anna"


def test_with_several_faces_and_no_known_voice_nobody_is_guessed() -> None:
    runner = _follow("target: speaking\nhold_s: 0")
    assert runner.target(0.0, _faces("anna", "ben", "")) == ""
    assert runner.target(1.0, _faces("anna", "ben", ""), "carla") == ""
    assert runner.target(2.0, _faces("anna", "ben", ""), "ben") == "ben"
    assert runner.target(3.0, _faces("anna", "ben", "")) == "ben"


def test_a_recipe_whose_file_is_gone_keeps_nobody_from_pausing(tmp_path: Path) -> None:
    file = tmp_path / "tonight.yaml"
    file.write_text("target: anna")
    following = changed(SteeringNodeParams(), {"recipe": str(file)})
    file.unlink()
    paused = changed(following, {"paused": True})
    assert paused.paused and paused.load_recipe() == following.load_recipe()
    with pytest.raises(RecipeError, match="there is no recipe file"):
        paused.read_recipe()
    with pytest.raises(ParamError, match="there is no recipe file"):
        changed(paused, {"recipe": str(tmp_path / "other.yaml")})


def test_a_recipe_that_was_edited_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "tonight.yaml"
    file.write_text("target: anna")
    params = changed(SteeringNodeParams(), {"recipe": str(file)})
    file.write_text("target: bert")
    recipe = params.read_recipe()
    assert recipe is not None and recipe.people == ["bert"] and params.load_recipe() == recipe
