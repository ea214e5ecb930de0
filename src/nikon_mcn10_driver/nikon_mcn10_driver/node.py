"""The ``nikon_mcn10`` node: commands in, camera status out."""

from __future__ import annotations

from dataclasses import replace

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_srvs.srv import Trigger

from face_af_common.diagnostics import ERROR, OK, STALE, WARN, Health
from face_af_common.leader_lock import LeaderLock
from face_af_common.live_parameters import LiveParameters
from face_af_common.paths import share_dir
from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.runtime import StartError
from face_af_common.services import serve
from face_af_common.stamps import to_ns
from face_af_common.types import Action, ActionKind
from face_af_msgs.msg import CameraStatus, SteeringCommand, SteeringState
from face_af_msgs.srv import Press, Shutter

from .backends import camera_address, remote_factory
from .link import CameraLink, Command, LinkStatus, LinkTiming
from .params import DriverParams
from .profile import BUTTONS, Measured, ProfileError
from .shutter import Burst

_PRESS_TIMEOUT = 1.0
"""Seconds that the ``press`` service waits for its press."""


class DriverNode(Node):
    """Subscribes ``command``, ``state``; publishes ``camera_status``; serves ``press``, ``shutter``, ``reconnect``."""

    def __init__(self) -> None:
        super().__init__("nikon_mcn10")
        self._live = LiveParameters(self, DriverParams)
        params = self._live.value
        try:
            factory = remote_factory(params, share_dir() / "config" / "remote")
        except ProfileError as error:
            raise StartError(str(error)) from error
        self._publisher = self.create_publisher(CameraStatus, "camera_status", STATUS)
        self._health = Health(self, extra=self._figures)
        self._logged = LinkStatus()
        address = camera_address(params)
        lock = LeaderLock([address]) if address else None
        self.link = CameraLink(factory, _timing(params), self.now_ns, self._on_status, lock) if factory else None
        self._unused = LinkStatus(last_error="transport is none: commands are refused")
        self._live.on_change(self._on_params)
        subscribe(self, SteeringCommand, "command", self._on_command, RESULT, self._health)
        subscribe(self, SteeringState, "state", self._on_state, RESULT, self._health)
        serve(self, Press, "press", self._on_press)
        serve(self, Shutter, "shutter", self._on_shutter)
        serve(self, Trigger, "reconnect", self._on_reconnect)
        # wall time: the status must come once a second though a simulated clock stands still
        self.create_timer(1.0, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        if self.link is None:
            self._health.recovered("transport none")
            self._publish(self._unused)
        else:
            self.link.start()

    def close(self) -> None:
        if self.link is not None:
            self.link.close()

    def now_ns(self) -> int:
        """The node's time, which a replay or a test may set."""
        return int(self.get_clock().now().nanoseconds)

    def _on_params(self, params: DriverParams) -> None:
        if self.link is not None:
            self.link.timing = _timing(params)

    def _on_command(self, message: SteeringCommand) -> None:
        action = Action(ActionKind(message.action), message.reason, float(message.x), float(message.y))
        if self._live.value.transport == "dry_run":
            point = f" ({action.x:.3f}, {action.y:.3f})" if action.kind == ActionKind.AF_AREA else ""
            self.get_logger().info(f"dry run: {action.kind.name.lower()}{point}: {action.reason}")
        if self.link is None:
            self._refuse(message.id)
        else:
            self.link.submit(Command(action, to_ns(message.header.stamp), message.id))

    def _refuse(self, command_id: int) -> None:
        self._unused = replace(self._unused, failed=self._unused.failed + 1, last_command_id=command_id)
        self._publish(self._unused)

    def _on_state(self, message: SteeringState) -> None:
        if message.state == SteeringState.ON_TARGET and self.link is not None:
            self.link.flush(to_ns(message.header.stamp))

    def _on_press(self, request: Press.Request, response: Press.Response) -> Press.Response:
        names = {kind.name.lower(): kind for kind in (*BUTTONS, ActionKind.AF_AREA)}
        point = (request.x, request.y)
        if request.button == "af_area" and not all(0.0 <= value <= 1.0 for value in point):
            response.message = f"af_area: x and y from 0 to 1 are needed, got {request.x} and {request.y}"
        elif request.button not in names:
            response.message = f"there is no button {request.button!r}; there are {', '.join(names)}"
        elif self.link is None:
            response.message = self._unused.last_error
        else:
            command = Command(Action(names[request.button], "by hand", *point), self.now_ns())
            self.link.submit(command)
            command.done.wait(_PRESS_TIMEOUT)
            response.success = command.outcome == ""
            response.message = "sent" if response.success else command.outcome or "no answer from the camera yet"
        return response

    def _on_shutter(self, request: Shutter.Request, response: Shutter.Response) -> Shutter.Response:
        """Answers at once: whoever waited here for a burst would keep commands waiting."""
        burst = Burst(request.count, request.gap)
        if self.link is None:
            burst.finish(self._unused.last_error)
        else:
            self.link.release_shutter(burst)
        response.success = not burst.outcome
        response.message = burst.outcome or f"begun: {burst.count} image{'s' if burst.count > 1 else ''}"
        return response

    def _on_reconnect(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self.link is None:
            response.message = self._unused.last_error
        else:
            self.link.reconnect()
            response.success, response.message = True, "connecting anew"
        return response

    def _on_status(self, status: LinkStatus) -> None:
        """Called by the link for every change, from its thread or from ours."""
        if not self.context.ok():
            return
        self._publish(status)
        before, self._logged = self._logged, status
        self._health.hardware_id = status.camera.serial
        if status.sent > before.sent:
            self._health.tick(0, status.latency_s)
        self._health.drops = status.dropped_stale
        if not status.connected:
            if status.last_error:
                self._health.fault(status.last_error, ERROR)
        elif not before.connected:
            known = self._health.level in (OK, STALE)
            self._health.recovered(f"connected to {status.camera.model} {status.camera.serial}".rstrip())
            if known:
                # else the recovery has been logged
                self.get_logger().info(self._health.message)
            if status.camera.warning:
                self._health.fault(status.camera.warning, WARN)
        elif status.failed > before.failed:
            self._health.fault(status.last_error, WARN)
        elif status.sent > before.sent and self._health.level != OK:
            self._health.recovered()

    def _tick(self) -> None:
        self._publish(self.link.status if self.link is not None else self._unused)

    def _publish(self, status: LinkStatus) -> None:
        params = self._live.value
        message = CameraStatus(
            connected=status.connected,
            dry_run=params.transport == "dry_run",
            transport=params.transport,
            model=status.camera.model,
            serial=status.camera.serial,
            firmware=status.camera.firmware,
            sent=status.sent,
            dropped_stale=status.dropped_stale,
            failed=status.failed,
            reconnects=status.reconnects,
            last_command_id=status.last_command_id,
            last_error=status.last_error,
            command_latency_ms=status.latency_s * 1e3,
            **_measured(status.camera.measured),
        )
        message.header.stamp = self.get_clock().now().to_msg()
        try:
            self._publisher.publish(message)
        except Exception:
            # between Ctrl-C and our close the link may still have something to say
            if self.context.ok():
                raise

    def _figures(self) -> dict[str, object]:
        status = self.link.status if self.link is not None else self._unused
        return {
            "transport": self._live.value.transport,
            "connected": status.connected,
            "model": status.camera.model,
            "firmware": status.camera.firmware,
            "sent": status.sent,
            "images": status.images,
            "dropped_stale": status.dropped_stale,
            "failed": status.failed,
            "reconnects": status.reconnects,
            "command_latency_ms": f"{status.latency_s * 1e3:.2f}",
        }


def _measured(measured: Measured) -> dict[str, float | int]:
    """The fields of ``CameraStatus`` that say what was measured with the profile."""
    wrap = {None: CameraStatus.WRAP_UNKNOWN, False: CameraStatus.WRAP_NO, True: CameraStatus.WRAP_YES}
    return {
        "response_ms": (measured.response or 0.0) * 1e3,
        "response_spread_ms": (measured.spread or 0.0) * 1e3,
        "press_loss": -1.0 if measured.loss is None else measured.loss,
        "measured_presses": measured.presses,
        "wrap": wrap[measured.wrap],
    }


def _timing(params: DriverParams) -> LinkTiming:
    return LinkTiming(params.max_command_age, params.reconnect.min_pause, params.reconnect.max_pause)
