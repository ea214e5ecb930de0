"""Recipe, target and planner joined: what the node asks for each frame, and what a replay asks. No ROS here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from face_af_common.orientation import Orientation
from face_af_common.types import Action, ActionKind, AfBox, Face

from .params import SteeringNodeParams
from .planner import Planner
from .recipe import Recipe, RecipeRunner

HEARD_S = 2.0
"""A voice is forgotten when nothing has been heard of any for so long: the speaker node says something every 0.5 s."""


class SteeringEngine:
    """Steers one camera by the recipe where there is one, else to the target that perception names.

    ``params``: checked values. Raises :class:`~face_af_steering.recipe.RecipeError` where the recipe
    cannot be read.
    """

    def __init__(self, params: SteeringNodeParams) -> None:
        self.planner = Planner(params)
        self.target = ""
        """Name of the person that the newest frame was steered to; empty = nobody."""
        self.orientation = Orientation()
        """How faces and boxes are turned against the camera's own frame."""
        self.speaking = ""
        """Who is heard, empty for nobody who is known; set by whoever listens."""
        self._by_camera = False
        self._runner: RecipeRunner | None = None
        self.apply(params)

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that is followed; None = none."""
        return self._runner.recipe if self._runner is not None else None

    def apply(self, params: SteeringNodeParams) -> bool:
        """Uses ``params`` from the next frame on; returns whether the recipe is another one.

        Raises :class:`~face_af_steering.recipe.RecipeError` where the recipe has become unreadable since
        ``params`` were checked; everything else holds all the same.
        """
        if params.paused != self.planner.paused:
            (self.planner.pause if params.paused else self.planner.resume)()
        self.planner.params = params
        # in mode af_area the planner looks at the upright image, and the point is turned back
        self._by_camera = params.left_means == "camera" and params.mode == "press"
        recipe = params.load_recipe()
        if recipe == self.recipe:
            return False
        self._runner = RecipeRunner(recipe) if recipe is not None else None
        return True

    @property
    def recipe_start(self) -> float | None:
        """When the recipe's time line began, seconds of the frames' stamps; None = not yet, or no recipe."""
        return self._runner.start if self._runner is not None else None

    def next_step(self, now: float) -> str:
        """The next step of the recipe's time line, for a person to read; empty = there is none."""
        return self._runner.next_step(now) if self._runner is not None else ""

    def restart_recipe(self, start: float | None = None) -> None:
        """The recipe's time line begins at ``start`` (seconds), or with the next frame."""
        if self._runner is not None:
            self._runner = RecipeRunner(self._runner.recipe, start)

    def update(
        self,
        now: float,
        faces: Sequence[Face],
        boxes: Sequence[AfBox],
        target: str = "",
        frame_size: tuple[int, int] = (1920, 1080),
    ) -> list[Action]:
        """What to send for this frame: nothing or one action.

        ``now``: time of the frame, seconds; ``target``: the name that perception looks for, with
        ``is_target`` of the faces set accordingly; a recipe overrides both. ``frame_size``: width and
        height in pixels.
        """
        marked = list(faces)
        if self._runner is not None:
            target = self._runner.target(now, marked, self.speaking)
            marked = [dataclasses.replace(f, is_target=bool(target) and f.identity == target) for f in marked]
        if target != self.target:
            self.target = target
            self.planner.forget_target()
        turned = self.orientation
        if not turned.is_identity and self._by_camera:
            marked = [
                dataclasses.replace(f, box=turned.box_to_camera(f.box, *frame_size), landmarks=None) for f in marked
            ]
            boxes = [dataclasses.replace(b, box=turned.box_to_camera(b.box, *frame_size)) for b in boxes]
            frame_size = turned.size(*frame_size)
        self.planner.frame_size = frame_size
        return [self._in_cameras_frame(action) for action in self.planner.update(now, marked, list(boxes))]

    def turn(self, orientation: Orientation) -> None:
        """The frames from now on are turned so against the camera's own."""
        if orientation != self.orientation:
            self.orientation = orientation
            self.planner.forget_target()

    def _in_cameras_frame(self, action: Action) -> Action:
        if action.kind is not ActionKind.AF_AREA or self.orientation.is_identity:
            return action
        x, y = self.orientation.point_to_camera(action.x, action.y)
        return dataclasses.replace(action, x=x, y=y)
