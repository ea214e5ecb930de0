"""The outputs node: who is seen, focused and heard goes to the house, by the file of actions and over MQTT."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from face_af_common.diagnostics import WARN, Health
from face_af_common.live_parameters import LiveParameters
from face_af_common.names import canonical_name
from face_af_common.qos import RESULT, STATUS
from face_af_common.received import subscribe
from face_af_common.runtime import StartError
from face_af_msgs.msg import CameraStatus, FaceArray, SpeakerArray, SteeringState
from face_af_msgs.srv import SetRecipe, Shutter

from .action_file import ActionFile, ActionFileError, load
from .events import STATES, Delays, Event, Observer
from .gpio import GpiodLine, TerminalLine
from .house import House
from .mqtt import Broker, MqttError, MqttLink
from .outbox import Outbox
from .params import OutputsNodeParams
from .performer import Hands, Performer
from .service_call import call
from .workers import ActionError

_TICK_S = 0.1
_SHOW_S = 0.2
"""States go to the broker at most so often; events at once."""
_FOCUS_KEPT_S = 1.0
"""How long the identity of a track is remembered after its last face."""


class OutputsNode(Node):
    """Subscribes ``faces``, ``state``, ``speaker`` and ``camera_status``; calls ``set_recipe`` and ``shutter``."""

    def __init__(self) -> None:
        super().__init__("outputs")
        self._live = LiveParameters(self, OutputsNodeParams)
        params = self._live.value
        self._health = Health(self, extra=self._figures)
        self._observer = Observer()
        self._tracks: dict[int, tuple[str, float]] = {}
        self._shown_at = 0.0
        self._outbox: Outbox | None = None
        self._link: MqttLink | None = None
        self._house: House | None = None
        if params.mqtt.host:
            self._connect(params)
        hands = Hands(self._set_recipe, self._release_shutter)
        self._recipe = self.create_client(SetRecipe, "set_recipe")
        self._shutter = self.create_client(Shutter, "shutter")
        self._performer = Performer(
            _actions(params.actions), self._outbox, self._house, hands, self._say,
            make_line=TerminalLine if params.gpio == "terminal" else GpiodLine, dry_run=params.dry_run,
        )  # fmt: skip
        self._live.on_change(self._on_params)
        self._on_params(params)
        subscribe(self, FaceArray, "faces", self._on_faces, RESULT, self._health)
        subscribe(self, SteeringState, "state", self._on_state, RESULT, self._health)
        subscribe(self, SpeakerArray, "speaker", self._on_speaker, RESULT, self._health)
        subscribe(self, CameraStatus, "camera_status", self._on_camera, STATUS, self._health)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_TICK_S, lambda: self._happened(self._observer.tick(time.time())), clock=steady)
        self._health.recovered()

    def _connect(self, params: OutputsNodeParams) -> None:
        mqtt = params.mqtt
        self._outbox = Outbox()
        self._house = House(self._outbox, mqtt.device, mqtt.discovery)
        broker = Broker(
            mqtt.host, mqtt.port, f"face_af_{mqtt.device}", mqtt.username, mqtt.password_file, mqtt.tls, mqtt.ca_file
        )
        try:
            self._link = MqttLink(broker, self._outbox, self._house.availability, self._say_mqtt)
        except MqttError as error:
            raise StartError(str(error)) from error
        self._link.start()

    def close(self) -> None:
        self._performer.close()
        if self._link is not None:
            self._link.close()

    def _on_params(self, params: OutputsNodeParams) -> None:
        d = params.delay
        self._observer.delays = Delays(d.appears, d.leaves, d.unknown, d.focus, d.speaks, d.lost)
        self._performer.dry_run = params.dry_run

    # -- what happens ------------------------------------------------------------------------------------------------

    def _on_faces(self, message: FaceArray) -> None:
        now = time.time()
        names = [canonical_name(face.identity) for face in message.faces]
        for face, name in zip(message.faces, names, strict=True):
            self._tracks[face.track_id] = (name, now)
        self._tracks = {k: v for k, v in self._tracks.items() if now - v[1] < _FOCUS_KEPT_S}
        self._health.tick()
        self._happened(self._observer.faces(names, "" in names, now))

    def _on_state(self, message: SteeringState) -> None:
        state = STATES[message.state] if message.state < len(STATES) else ""
        focus = self._tracks.get(message.focus_track_id, ("", 0.0))[0] if message.focus_track_id else ""
        self._happened(self._observer.steering(state, canonical_name(message.target), focus, time.time()))

    def _on_speaker(self, message: SpeakerArray) -> None:
        name = canonical_name(message.speakers[0].identity) if len(message.speakers) == 1 else ""
        self._happened(self._observer.heard(name, time.time()))

    def _on_camera(self, message: CameraStatus) -> None:
        self._happened(self._observer.camera(bool(message.connected), time.time()))

    def _happened(self, events: Iterable[Event]) -> None:
        events = list(events)
        self._performer.happened(events)
        if self._house is None:
            return
        self._house.tell(events)
        now = time.monotonic()
        if events or now - self._shown_at >= _SHOW_S:
            self._shown_at = now
            self._house.show(self._observer)

    # -- what is done, in the threads of the actions -----------------------------------------------------------------

    def _set_recipe(self, name: str) -> None:
        answer = call(self._recipe, SetRecipe.Request(recipe=name), 5.0)
        if not answer.success:
            raise ActionError(f"recipe {name}: {answer.message}")

    def _release_shutter(self, count: int, gap: float) -> None:
        answer = call(self._shutter, Shutter.Request(count=count, gap=gap), 5.0)
        if not answer.success:
            raise ActionError(f"shutter: {answer.message}")

    def _say(self, line: str) -> None:
        if line.startswith("dry run"):
            self.get_logger().info(line)
        else:
            self.get_logger().warning(line)

    def _say_mqtt(self, line: str) -> None:
        if line:
            self._health.fault(line, WARN)
        elif self._health.level == WARN:
            self._health.recovered("connected to the broker")

    def _figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = dict(self._performer.figures)
        if self._outbox is not None and self._link is not None:
            box = self._outbox
            figures |= {
                "mqtt_connected": self._link.connected,
                "mqtt_sent": box.sent,
                "mqtt_dropped": box.dropped,
                "mqtt_unconfirmed": box.unconfirmed,
            }
        return figures


def _actions(path: str) -> ActionFile:
    if not path:
        return ActionFile()
    try:
        return load(Path(path).expanduser())
    except ActionFileError as error:
        raise StartError(str(error)) from error
