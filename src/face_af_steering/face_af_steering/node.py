"""The steering node: joins faces and AF boxes by stamp, asks the planner, publishes command and state."""

from __future__ import annotations

import dataclasses
import time

from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from face_af_common.answers import Answers
from face_af_common.conversions import af_boxes_from_msg, faces_from_msg, orientation_from_msg
from face_af_common.diagnostics import WARN, Health
from face_af_common.live_parameters import LiveParameters
from face_af_common.names import canonical_name
from face_af_common.pairing import StampPairer
from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.services import serve
from face_af_common.stamps import to_ns
from face_af_common.types import Action, SteeringStatus
from face_af_msgs.msg import (
    AfOverlay,
    CameraStatus,
    FaceArray,
    FrameOrientation,
    SpeakerArray,
    SteeringCommand,
    SteeringState,
)
from face_af_msgs.srv import SetRecipe

from .engine import HEARD_S, SteeringEngine
from .params import SteeringNodeParams
from .recipe import RecipeError

_NO_CAMERA_NEEDED = ("none", "dry_run")
_STREAMS = ("faces", "af_overlay")
_RECIPE_START = "recipe_start"
"""Key of the live state: the parameter recipe and when its time line began."""


class SteeringNode(Node):
    """One command at most, then exactly one state, for every joined frame."""

    def __init__(self) -> None:
        super().__init__("steering")
        self._params = LiveParameters(self, SteeringNodeParams)
        self._engine = SteeringEngine(self._params.value)
        self._planner = self._engine.planner
        self._pairer = StampPairer(_STREAMS)
        self._health = Health(self, extra=self._extra)
        self._camera: CameraStatus | None = None
        self._measured: tuple[float, ...] = ()
        self._command_id = 0
        self._heard_at = 0.0
        if self._engine.recipe is not None:
            self._engine.restart_recipe(self._kept_recipe_start())
            self._log_recipe()
        self._params.on_change(self._apply)
        self._commands = self.create_publisher(SteeringCommand, "command", RESULT)
        self._answers = Answers(self, SteeringState, "state")
        subscribe(self, CameraStatus, "camera_status", self._on_camera, STATUS, self._health)
        subscribe(self, SpeakerArray, "speaker", self._on_speaker, RESULT, self._health)
        subscribe(self, FrameOrientation, "frame_orientation", self._on_orientation, STATUS, self._health)
        subscribe(self, AfOverlay, "af_overlay", self._on_overlay, RESULT, self._health)
        subscribe(self, FaceArray, "faces", self._on_faces, RESULT, self._health)
        serve(self, Trigger, "pause", self._on_pause)
        serve(self, Trigger, "resume", self._on_resume)
        serve(self, SetRecipe, "set_recipe", self._on_recipe)

    def _apply(self, params: SteeringNodeParams) -> None:
        if self._engine.apply(params):
            self._log_recipe()

    def _kept_recipe_start(self) -> float | None:
        """Where the process before this one was in the same recipe."""
        kept = self._params.state.get(_RECIPE_START)
        return float(kept[1]) if kept is not None and kept[0] == self._params.value.recipe else None

    def _reason(self, found: FaceArray) -> str:
        """The planner's, unless it waits for a person who cannot come."""
        if found.target_unknown and self._planner.status == SteeringStatus.NO_TARGET and self._engine.recipe is None:
            return f"nobody is enrolled as {found.target}"
        return self._planner.reason

    def _keep_recipe_start(self) -> None:
        start = self._engine.recipe_start
        self._params.state.keep(_RECIPE_START, None if start is None else [self._params.value.recipe, start])

    def _log_recipe(self) -> None:
        recipe = self._engine.recipe
        self.get_logger().info(f"recipe {recipe.name}: {recipe.description}" if recipe else "no recipe")

    def _on_camera(self, message: CameraStatus) -> None:
        before, self._camera = self._camera, message
        dropped = before is not None and message.dropped_stale > before.dropped_stale
        if dropped and message.last_command_id == self._command_id:
            self._planner.not_sent()
        measured = (message.response_ms, message.response_spread_ms, message.press_loss, message.wrap)
        if message.connected and message.measured_presses and measured != self._measured:
            self._measured = measured
            loss = message.press_loss if message.press_loss >= 0 else None
            wraps = None if message.wrap == CameraStatus.WRAP_UNKNOWN else message.wrap == CameraStatus.WRAP_YES
            self._planner.expect(message.response_ms / 1e3, message.response_spread_ms / 1e3, loss, wraps)

    def _on_orientation(self, message: FrameOrientation) -> None:
        self._engine.turn(orientation_from_msg(message))

    def _on_speaker(self, message: SpeakerArray) -> None:
        speakers = message.speakers
        self._engine.speaking = canonical_name(speakers[0].identity) if len(speakers) == 1 else ""
        self._heard_at = time.monotonic()

    def _on_overlay(self, message: AfOverlay) -> None:
        self._add("af_overlay", message)

    def _on_faces(self, message: FaceArray) -> None:
        if not self._answers.repeated(to_ns(message.header.stamp)):
            self._add("faces", message)

    def _add(self, stream: str, message: FaceArray | AfOverlay) -> None:
        joined = self._pairer.add(stream, to_ns(message.header.stamp), message)
        if joined is not None:
            self._steer(joined["faces"], joined["af_overlay"])
            self._health.drops = self._pairer.dropped

    def _steer(self, found: FaceArray, overlay: AfOverlay) -> None:
        planner = self._planner
        if time.monotonic() - self._heard_at > HEARD_S:
            self._engine.speaking = ""
        planner.blocked = self._camera_problem()
        size = (found.width or overlay.width or 1920, found.height or overlay.height or 1080)
        now = to_ns(found.header.stamp) * 1e-9
        boxes = af_boxes_from_msg(overlay)
        followed = found.followed_track_id
        target = found.target or (f"face {followed}" if followed else "")
        for action in self._engine.update(now, faces_from_msg(found), boxes, target, size):
            self._send(found, action)
        self._keep_recipe_start()
        state = SteeringState(
            header=found.header,
            state=int(planner.status),
            target=self._engine.target,
            target_track_id=planner.target_track_id,
            focus_track_id=planner.focus_track_id,
            presses=planner.presses,
            last_command_id=self._command_id,
            response_ms=planner.response_s * 1e3,
            reason=self._reason(found),
            paused=planner.paused,
            speaking=self._engine.speaking,
            recipe=self._params.value.recipe if self._engine.recipe is not None else "",
            recipe_next=self._engine.next_step(now),
        )
        latency_s = (self.get_clock().now().nanoseconds - to_ns(found.header.stamp)) * 1e-9
        state.latency_ms = latency_s * 1e3
        self._answers.publish(state)
        self._health.tick(to_ns(found.header.stamp), latency_s)
        if planner.blocked:
            self._health.fault(planner.blocked, WARN)
        else:
            self._health.recovered()

    def _send(self, found: FaceArray, action: Action) -> None:
        self._command_id += 1
        self._commands.publish(
            SteeringCommand(
                header=found.header,
                id=self._command_id,
                action=int(action.kind),
                x=float(action.x),
                y=float(action.y),
                reason=action.reason,
            )
        )

    def _camera_problem(self) -> str:
        camera = self._camera
        if camera is None or camera.connected or camera.dry_run or camera.transport in _NO_CAMERA_NEEDED:
            return ""
        if not self._params.value.require_camera:
            return ""
        return "the camera is not connected" + (f": {camera.last_error}" if camera.last_error else "")

    def _on_pause(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._set_paused(True, response)

    def _on_resume(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._planner.resume()
        return self._set_paused(False, response)

    def _set_paused(self, paused: bool, response: Trigger.Response) -> Trigger.Response:
        result = self.set_parameters([Parameter("paused", value=paused)])[0]
        response.success = result.successful
        done = "paused: no presses until resume" if paused else "steering"
        response.message = done if result.successful else result.reason
        return response

    def _on_recipe(self, request: SetRecipe.Request, response: SetRecipe.Response) -> SetRecipe.Response:
        try:
            dataclasses.replace(self._params.value, recipe=request.recipe).read_recipe()
        except RecipeError as error:
            response.message = f"recipe: {error}"
            return response
        result = self.set_parameters([Parameter("recipe", value=request.recipe)])[0]
        response.success = result.successful
        if not result.successful:
            response.message = result.reason
        elif self._engine.recipe is None:
            response.message = "no recipe"
        else:
            self._engine.restart_recipe()
            response.message = f"following {request.recipe}: {', '.join(self._engine.recipe.people)}"
        return response

    def _extra(self) -> dict[str, object]:
        planner = self._planner
        return {
            "status": planner.status.name,
            "reason": planner.reason,
            "presses": planner.presses,
            "response_ms": f"{planner.response_s * 1e3:.0f}",
        }
