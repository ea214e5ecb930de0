"""Rows of faces with their AF boxes, and a camera that does what it is told."""

from __future__ import annotations

from collections.abc import Sequence

from face_af_common.types import Action, ActionKind, AfBox, AfState, Box, Face
from face_af_steering.planner import Planner

FRAME_S = 1 / 30


class Scene:
    """People in a row, 200 px apart; ``target`` and ``chosen`` are places in it (None = nobody)."""

    def __init__(
        self, count: int = 4, target: int | None = 0, chosen: int | None = 2, sizes: Sequence[float] = ()
    ) -> None:
        self.count = count
        self.target = target
        self.chosen = chosen
        self.sizes = list(sizes) or [100.0] * count
        self.unseen_boxes: set[int] = set()
        self.unseen_faces: set[int] = set()
        self.misread: dict[int, AfState] = {}

    def box(self, i: int) -> Box:
        return Box(100.0 + 200.0 * i, 400.0, self.sizes[i], 1.2 * self.sizes[i])

    def faces(self) -> list[Face]:
        return [
            Face(i + 1, self.box(i), is_target=i == self.target, similarity=0.6 if i == self.target else 0.1)
            for i in range(self.count)
            if i not in self.unseen_faces
        ]

    def boxes(self) -> list[AfBox]:
        result = []
        for i in range(self.count):
            if i in self.unseen_boxes:
                continue
            state = self.misread.get(i, AfState.TRACKED if i == self.chosen else AfState.DETECTED)
            result.append(AfBox(state, self.box(i)))
        return result

    def press(self, kind: ActionKind) -> None:
        if self.chosen is None:  # as cameras do: somebody in the middle
            self.chosen = self.count // 2
            return
        step = {ActionKind.LEFT: -1, ActionKind.RIGHT: 1}.get(kind, 0)
        self.chosen = min(max(self.chosen + step, 0), self.count - 1)


class Play:
    """Runs a planner over a scene; presses take effect ``delay`` frames later unless they are ``lost``."""

    def __init__(self, scene: Scene, planner: Planner | None = None, delay: int = 8) -> None:
        self.scene = scene
        self.planner = planner or Planner()
        self.delay = delay
        self.frame = 0
        self.sent: list[tuple[float, Action]] = []
        self.lost: set[int] = set()
        """Numbers of presses that have no effect."""
        self._due: list[tuple[int, ActionKind]] = []

    @property
    def now(self) -> float:
        return self.frame * FRAME_S

    def run(self, frames: int) -> list[Action]:
        actions: list[Action] = []
        for _ in range(frames):
            for _, kind in [d for d in self._due if d[0] <= self.frame]:
                self.scene.press(kind)
            self._due = [d for d in self._due if d[0] > self.frame]
            for action in self.planner.update(self.now, self.scene.faces(), self.scene.boxes()):
                if len(self.sent) not in self.lost:
                    self._due.append((self.frame + self.delay, action.kind))
                self.sent.append((self.now, action))
                actions.append(action)
            self.frame += 1
        return actions
