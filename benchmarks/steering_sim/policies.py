"""Who presses: our planner, the plain policy, and one that knows everything."""

from __future__ import annotations

from typing import Protocol

from face_af_common.types import ActionKind, AfBox, Face
from face_af_steering.planner import Planner

from .camera import Camera, Moment
from .driver import Command
from .photographer import TARGET
from .stream import Seen


class Policy(Protocol):
    looks: bool
    """Whether it needs what vision makes of the frames."""

    def act(self, t: float, arrived: list[Seen]) -> list[Command]:
        """What to press at ``t``, given the results that have just arrived."""
        ...

    def not_sent(self) -> None:
        """The driver has dropped the newest press."""
        ...


class Ours:
    """The planner of ``face_af_steering``."""

    looks = True

    def __init__(self, planner: Planner) -> None:
        self.planner = planner

    def act(self, t: float, arrived: list[Seen]) -> list[Command]:
        return [(seen[0], action.kind) for seen in arrived for action in self.planner.update(*seen)]

    def not_sent(self) -> None:
        self.planner.not_sent()


class Plain:
    """Three equal decisions, then a press on every frame; after five of the same, the other way once."""

    looks = True

    def __init__(self) -> None:
        self._last: ActionKind | None = None
        self._same = 0
        self._sent = 0

    def act(self, t: float, arrived: list[Seen]) -> list[Command]:
        return [(stamp, kind) for stamp, faces, boxes in arrived for kind in self._update(faces, boxes)]

    def not_sent(self) -> None:
        """It presses on the next frame anyway."""

    def _update(self, faces: list[Face], boxes: list[AfBox]) -> list[ActionKind]:
        kind = self._decide(faces, boxes)
        self._same = self._same + 1 if kind == self._last else 1
        self._sent = self._sent if kind == self._last else 0
        self._last = kind
        if kind is None or self._same < 3:
            return []
        self._sent += 1
        if self._sent > 5:
            self._sent = 0
            return [ActionKind.LEFT if kind == ActionKind.RIGHT else ActionKind.RIGHT]
        return [kind]

    def _decide(self, faces: list[Face], boxes: list[AfBox]) -> ActionKind | None:
        target = max((f for f in faces if f.is_target), key=lambda f: f.similarity, default=None)
        if target is None:
            return None
        wide = target.box.grown(0.3)
        inside = [b for b in boxes if wide.contains(*b.box.center)]
        if any(b.chosen for b in inside) or not inside:
            return None
        chosen = next((b for b in boxes if b.chosen), None)
        if chosen is None:
            return None
        dx = target.box.center[0] - chosen.box.center[0]
        dy = target.box.center[1] - chosen.box.center[1]
        if abs(dy) > 2 * abs(dx) and abs(dx) < target.box.width:
            return ActionKind.FN1
        return ActionKind.LEFT if dx < 0 else ActionKind.RIGHT


class AllKnowing:
    """Sees the camera's state without lag, knows what each button will do, and presses one at a time.

    It learns of a lost press when its response time is over, knows the photographer's wishes, and presses
    against none of them.
    """

    looks = False

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def act(self, t: float, arrived: list[Seen]) -> list[Command]:
        kind = self._decide(self._camera.moment)
        return [] if kind is None else [(t, kind)]

    def not_sent(self) -> None:
        """It sees for itself that the camera does not answer."""

    def _decide(self, seen: Moment) -> ActionKind | None:
        if seen.selected == TARGET or TARGET not in seen.detected or seen.busy or seen.wish is not None:
            return None
        with self._camera.as_in(seen):
            return self._camera.first_step(TARGET)


class Late(AllKnowing):
    """Knows as much, but of the moment that the newest result is about, and presses for nobody at first sight.

    That is what single presses by looking can reach at best. Of a press that the picture cannot show yet it knows only
    that it was sent.
    """

    def __init__(self, camera: Camera, confirm_frames: int, fps: float) -> None:
        super().__init__(camera)
        self._moments = [camera.moment]
        self._pressed_frame = -1
        self._confirm_frames = confirm_frames
        self._in_sight = 0
        self._fps = fps

    def act(self, t: float, arrived: list[Seen]) -> list[Command]:
        now = self._camera.moment
        self._moments.append(now)
        commands: list[Command] = []
        for stamp, _, _ in arrived:
            shown = round(stamp * self._fps) - self._camera.numbers.lag_frames
            kind = self._look(self._moments[max(shown + 1, 0)])
            if kind is not None and not commands:
                self._pressed_frame = now.frame
                commands.append((stamp, kind))
        return commands

    def _look(self, seen: Moment) -> ActionKind | None:
        self._in_sight = self._in_sight + 1 if TARGET in seen.detected else 0
        if self._in_sight < self._confirm_frames or seen.frame <= self._pressed_frame:
            return None
        return self._decide(seen)
