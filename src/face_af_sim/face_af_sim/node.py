"""The ``stage`` node: the simulated stage as a camera's picture, the truth about it, and a virtual Z8."""

from __future__ import annotations

import time

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage
from std_msgs.msg import Header

from face_af_common.conversions import box_to_msg
from face_af_common.diagnostics import WARN, Health
from face_af_common.frames import FramePublisher
from face_af_common.images import BGR
from face_af_common.live_parameters import LiveParameters
from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.ros_context import shut_down_context
from face_af_common.runtime import StartError
from face_af_common.stamps import from_ns, to_ns
from face_af_msgs.msg import CameraStatus, SimTruth, SteeringState

from .cast import CastError, prepare_stage
from .fault_services import FaultServices
from .lockstep import Lockstep, Wait
from .params import StageNodeParams
from .simulation import Frame, Simulation

_EPOCH_NS = 1_000_000_000
"""Time of the first frame in lockstep; zero would mean that there is no time yet."""

_RESEND_S = 1.0
_STILL_S = 0.2
"""So often the first frame is shown until it is answered."""
_SILENCE_S = 10.0
_PRESS_S = 5.0
"""So long a press may take to reach the camera before the show goes on without it."""

_DRIVER_S = 5.0
"""So long the first frame waits for a driver when everybody else is there."""


class StageNode(Node):
    """Publishes ``image_raw`` (raw and JPEG), ``sim/truth``, in lockstep ``/clock``; has a virtual camera here."""

    def __init__(self) -> None:
        super().__init__("stage")
        p = self._params = LiveParameters(self, StageNodeParams).value
        self._health = Health(self, "simulated stage", self._extra)
        self.get_logger().info("preparing the people on stage")
        try:
            prepared = prepare_stage(p.people, p.target, say=self.get_logger().info)
        except CastError as error:
            raise StartError(str(error)) from error
        self._sim = Simulation(
            prepared.figures, prepared.target, seed=p.seed, width=p.width, height=p.height, hdmi=p.hdmi, body=p.camera
        )
        self._images = FramePublisher(self, quality=p.jpeg_quality)
        self._truth = self.create_publisher(SimTruth, "sim/truth", RESULT)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._wall = Clock(clock_type=ClockType.SYSTEM_TIME)
        self._index = -1
        self._begun_at: float | None = None
        """When the show in real time has begun."""
        self._opening: Frame | None = None
        self._answered = False
        self._born = self._last_try = time.monotonic()
        self._lockstep = Lockstep(observed=p.observed) if p.clock == "lockstep" else None
        self._faults = FaultServices(
            self, self._sim.body, p.ptpip_port, self._lockstep is not None, self._health, p.grip
        )
        self._faults.plug_in()
        if self._lockstep is not None:
            self._start_lockstep()
        else:
            self._states = subscribe(self, SteeringState, "state", self._on_answer, RESULT, self._health)
            self._timer = self.create_timer(1.0 / p.rate, self._realtime, clock=self._steady)
        self.get_logger().info(
            f"target {prepared.target} among {len(prepared.figures)} people; {p.width}x{p.height}, "
            f"{p.rate:g} Hz, {p.clock}; waiting for {p.subscribers} subscribers of image_raw"
        )

    def close(self) -> None:
        self._faults.close()

    # -- real time ------------------------------------------------------------------------------------

    def _realtime(self) -> None:
        now = time.monotonic()
        if self._begun_at is None:
            self._wait_for_graph(now)
            return
        index = int((now - self._begun_at) * self._params.rate + 0.5)
        if index <= self._index:
            return
        if self._index >= 0:
            self._health.drops += index - self._index - 1
        if self._over(index):
            return
        self._index = index
        self._show(self._sim.frame(index / self._params.rate))

    def _wait_for_graph(self, now: float) -> None:
        """The first frame stands still until it is answered: models load, and the show is short."""
        wanted, patient = self._params.subscribers, now - self._born < self._params.wait_s
        if not (wanted and patient) or self._answered:
            self._begun_at = now
        elif self._images.subscriptions >= wanted and now - self._last_try >= _STILL_S:
            self._last_try = now
            self._opening = self._opening or self._sim.frame(0.0)
            self._show(self._opening)

    def _on_answer(self, _: SteeringState) -> None:
        self._answered = True

    def _show(self, frame: Frame) -> None:
        stamp = self._wall.now().nanoseconds
        self._publish(frame, stamp)
        self._health.tick(stamp)

    # -- lockstep -------------------------------------------------------------------------------------

    def _start_lockstep(self) -> None:
        self._clock_out = self.create_publisher(ClockMessage, "/clock", 10)
        self._states = subscribe(self, SteeringState, "state", self._on_state, RESULT, self._health)
        self._statuses = subscribe(self, CameraStatus, "camera_status", self._on_status, STATUS, self._health)
        if self._params.observed:
            self._seen = self.create_subscription(Header, "sim/seen", self._on_seen, RESULT)
        self._connected = False
        self._others_at: float | None = None
        self._sent: tuple[BGR, SimTruth] | None = None
        self._asked_at = self._answered_at = time.monotonic()
        self._timer = self.create_timer(0.05, self._watch, clock=self._steady)

    def _on_state(self, message: SteeringState) -> None:
        assert self._lockstep is not None
        self._lockstep.state(to_ns(message.header.stamp), message.last_command_id)
        if self._lockstep.waits_for is Wait.PRESS:
            self._answered_at = time.monotonic()
        self._advance()

    def _on_seen(self, message: Header) -> None:
        assert self._lockstep is not None
        self._lockstep.seen(to_ns(message.stamp))
        self._advance()

    def _on_status(self, message: CameraStatus) -> None:
        assert self._lockstep is not None
        self._connected = message.connected or message.dry_run or message.transport == "none"
        self._lockstep.status(message.last_command_id)
        self._advance()

    def _advance(self) -> None:
        """Shows the next frame if the present one is done with."""
        assert self._lockstep is not None
        if self._sent is None or self._lockstep.waits_for is not Wait.NOTHING:
            return
        self._next()

    def _next(self) -> None:
        assert self._lockstep is not None
        if self._over(self._index + 1):
            return
        self._index += 1
        seconds = self._index / self._params.rate
        stamp = _EPOCH_NS + round(seconds * 1e9)
        self._clock_out.publish(ClockMessage(clock=from_ns(stamp)))
        self._lockstep.shown(stamp)
        self._last_try = self._asked_at = time.monotonic()
        self._sent = self._publish(self._sim.frame(seconds), stamp)
        self._health.tick()
        if self._health.level == WARN and not self._faults.out:
            self._health.recovered()

    def _watch(self) -> None:
        """Wall-clock care: the first frame, lost pictures, and saying who does not answer."""
        assert self._lockstep is not None
        now = time.monotonic()
        if self._sent is None:
            if self._complete(now):
                self._next()
            return
        waits = self._lockstep.waits_for
        if waits is Wait.PRESS and now - self._answered_at > _PRESS_S:
            self._health.fault("a press was not delivered to the camera; going on without it", WARN)
            self._lockstep.give_up_press()
            self._advance()
        elif waits in (Wait.STEERING, Wait.OBSERVER) and now - self._last_try > _RESEND_S:
            # pictures are best effort, and who came late has nothing of this frame: everybody answers it again
            self._last_try = now
            image, truth = self._sent
            self._images.publish(image, truth.header)
            self._truth.publish(truth)
            if now - self._asked_at > _SILENCE_S:
                self._health.fault(f"the newest frame still waits for {waits.value}; showing it again and again", WARN)

    def _complete(self, now: float) -> bool:
        """Whether everybody who takes part is there; says once in a while whom it waits for."""
        lacking = []
        if self._images.subscriptions < self._params.subscribers:
            lacking.append("subscribers of image_raw")
        if self.count_publishers("state") == 0:
            lacking.append("steering")
        if lacking:
            self._others_at = None
        else:
            self._others_at = self._others_at or now
            if not self._connected and now - self._others_at < _DRIVER_S:
                lacking.append("the driver's connection to the camera")
        if lacking and now - self._born > _SILENCE_S:
            self._health.fault(f"waiting for {' and '.join(lacking)}", WARN)
        return not lacking

    # -- both -----------------------------------------------------------------------------------------

    def _over(self, index: int) -> bool:
        """Ends the node when the show is over."""
        if not self._params.duration or index / self._params.rate < self._params.duration:
            return False
        self._timer.cancel()
        self.get_logger().info("the show is over")
        shut_down_context()
        return True

    def _publish(self, frame: Frame, stamp_ns: int) -> tuple[BGR, SimTruth]:
        header = Header(stamp=from_ns(stamp_ns), frame_id=self._params.frame_id)
        truth = self._truth_of(frame, header)
        self._truth.publish(truth)
        if self._faults.picture:
            self._images.publish(frame.picture, header)
        return frame.picture, truth

    def _truth_of(self, frame: Frame, header: Header) -> SimTruth:
        target, camera = self._sim.target, frame.camera
        return SimTruth(
            header=header,
            target=target,
            focus=camera.focus,
            target_visible=target in camera.detected,
            target_focused=camera.focus == target,
            names=[actor.name for actor in frame.actors],
            boxes=[box_to_msg(actor.face) for actor in frame.actors],
            visible=[actor.name in camera.detected for actor in frame.actors],
            presses=camera.presses,
        )

    def _extra(self) -> dict[str, object]:
        return {
            "frame": self._index,
            "waits_for": self._lockstep.waits_for.value if self._lockstep else "nothing",
            "unplugged": self._faults.out,
        }
