"""Steering's parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from face_af_common.params import ParamError, param
from face_af_common.paths import share_dir

from .recipe import Recipe, RecipeError, read

_MOST_KNOWN = 8
"""Recipes kept: an evening has a few, and a wrong path typed often must not fill memory."""
_known: dict[tuple[str, str], Recipe] = {}
"""Recipes that were read, by name and folder, the newest last."""


@dataclass(frozen=True)
class PlannerParams:
    """What the planner may be told; everything about the camera's timing is learned."""

    mode: str = param(
        "press",
        "press: buttons of the remote grip; af_area: one point on the target's eyes, for full remote control",
        choices=("press", "af_area"),
    )
    confirm_frames: int = param(
        2,
        "frames that must agree before a change is believed (who the target is, where the focus is)",
        low=1,
        high=30,
    )
    unseen_frames: int = param(
        6,
        "frames without any chosen box until the camera is taken to have chosen nobody",
        low=1,
        high=120,
    )
    remember_s: float = param(
        0.25,
        "how long a box or a face that is not seen any more still counts as there",
        unit="s",
        low=0.0,
        high=3.0,
    )
    target_memory_s: float = param(
        3.0,
        "how long a target that is out of sight keeps its claim against a face that looks similar",
        unit="s",
        low=0.0,
        high=30.0,
    )
    rival_confirm_s: float = param(
        0.5,
        "how long another face must look like the target, and more so, to take over from a face that still is in sight",
        unit="s",
        low=0.0,
        high=10.0,
    )
    similarity_margin: float = param(
        0.05,
        "how much more alike than the present target another face must be to take over",
        low=0.0,
        high=1.0,
    )
    picture_lag_s: float = param(
        0.066,
        "how old the camera's picture is at least when it is seen here",
        unit="s",
        low=0.0,
        high=1.0,
    )
    min_interval_s: float = param(
        0.1,
        "shortest time between two presses",
        unit="s",
        low=0.02,
        high=5.0,
    )
    max_presses: int = param(
        25,
        "at most so many presses (or AF points) within rate_window_s",
        low=1,
        high=1000,
    )
    rate_window_s: float = param(
        10.0,
        "window of the rate limit",
        unit="s",
        low=0.5,
        high=120.0,
    )
    wrap: str = param(
        "auto",
        "whether the camera's selection goes from one end of the row to the other; auto: learn it",
        choices=("auto", "yes", "no"),
    )
    repeats: int = param(
        4,
        "how often a press without effect is tried before the alternatives",
        low=1,
        high=20,
    )
    give_up_s: float = param(
        2.0,
        "first pause when nothing helps; it doubles each time",
        unit="s",
        low=0.1,
        high=600.0,
    )
    give_up_max_s: float = param(
        30.0,
        "longest pause when nothing helps",
        unit="s",
        low=0.1,
        high=3600.0,
    )
    photographer: str = param(
        "insists",
        "who wins when another person moves the focus: insists: the first move may be corrected, who steps back to the "
        "same face is obeyed; always: every move that could be a person's is obeyed; never: every move is corrected",
        choices=("insists", "always", "never"),
    )
    photographer_weight: float = param(
        1.0,
        "photographer: insists: how much a press against the photographer counts beside time off the target; higher "
        "yields sooner",
        low=0.0,
        high=100.0,
    )
    yield_s: float = param(
        5.0,
        "no presses for so long after the last move of a photographer who is obeyed; twice as long each time the "
        "photographer insists again, at most four times",
        unit="s",
        low=0.0,
        high=600.0,
    )
    insist_s: float = param(
        1.5,
        "who insists brings a face back so soon after a press has led away from it",
        unit="s",
        low=0.0,
        high=60.0,
    )
    area_interval_s: float = param(
        0.2,
        "mode af_area: shortest time between two points",
        unit="s",
        low=0.02,
        high=10.0,
    )
    area_dead_band: float = param(
        0.012,
        "mode af_area: movements smaller than this share of the picture's width are not sent",
        low=0.0,
        high=0.5,
    )
    area_smoothing_s: float = param(
        0.1,
        "mode af_area: time constant of the smoothing",
        unit="s",
        low=0.0,
        high=2.0,
    )

    def check(self) -> None:
        if self.give_up_max_s < self.give_up_s:
            raise ParamError("give_up_max_s must not be less than give_up_s")


@dataclass(frozen=True)
class SteeringNodeParams(PlannerParams):
    """The node's parameters: the planner's, and what concerns the graph."""

    paused: bool = param(False, "never press; the services pause and resume set it too")
    recipe: str = param("", "a name in recipe_dir, or a path; empty = the target that perception names")
    recipe_dir: str = param("", "folder of the recipes; empty = config/recipes of face_af")
    require_camera: bool = param(True, "no presses while camera_status says that the camera is not connected")

    left_means: str = param(
        "camera",
        "where LEFT goes while capture turns the frames: left in the camera's own frame, or in the upright image;"
        " untried on a real body held in portrait",
        choices=("camera", "image"),
    )

    def check(self) -> None:
        super().check()
        try:
            self.load_recipe()
        except RecipeError as error:
            raise ParamError(f"recipe: {error}") from error

    def load_recipe(self) -> Recipe | None:
        """The recipe that is asked for, None without one; :class:`RecipeError` says what is wrong with it.

        One that was read before stays as it was when its file has gone or is broken since: nothing else that is set
        may fail for it, least of all a pause.
        """
        try:
            return self.read_recipe()
        except RecipeError:
            known = _known.get((self.recipe, self.recipe_dir))
            if known is None:
                raise
            return known

    def read_recipe(self) -> Recipe | None:
        """The same as its file is now."""
        if not self.recipe:
            return None
        folder = Path(self.recipe_dir).expanduser() if self.recipe_dir else share_dir() / "config" / "recipes"
        recipe = read(self.recipe, folder)
        _known.pop((self.recipe, self.recipe_dir), None)
        _known[self.recipe, self.recipe_dir] = recipe
        if len(_known) > _MOST_KNOWN:
            del _known[next(iter(_known))]
        return recipe
