"""The node ``replay_player``: plays recorded frames into the graph, drives ``/clock``, gathers the answers.

Publishes ``image_raw`` (raw and JPEG) and whatever is not recomputed, as recorded, with the frame's own stamp. With
``rate`` 0 it is lockstep: a frame is sent again until every recomputing node has answered it, so that none is lost.
Without ``nodes`` it computes the answers itself, which gives the same ones and is much faster, because no picture has
to travel.
"""

from __future__ import annotations

import copy
import threading
import time
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header

from face_af_common import qos
from face_af_common.conversions import af_boxes_from_msg, faces_from_msg
from face_af_common.frames import FramePublisher
from face_af_common.images import BGR
from face_af_common.live_parameters import LiveParameters
from face_af_common.params import ParamError
from face_af_common.received import subscribe
from face_af_common.ros_context import shut_down_context
from face_af_common.runtime import StartError
from face_af_common.stamps import from_ns, to_ns
from face_af_common.types import Action, ActionKind, SteeringStatus
from face_af_msgs.msg import AfOverlay, FaceArray, SteeringCommand, SteeringState

from .bag.bag_folder import RecordingError
from .played_messages import PlayedMessages
from .replay import settings
from .replay.frames import Frame
from .replay.player_params import PlayerParams
from .replay.recorded import recorded_frames, usable
from .replay.report import make_report, table, write_report, write_results
from .replay.settings import STAGES
from .replay.source import open_source
from .replay.speaker_stage import Speaker
from .replay.stages import check_parameters, compute
from .result_publishers import ResultPublishers

_ANSWERS = {"perception": "faces", "overlay": "af_overlay", "steering": "state"}
_MOST_ACTIONS = 20
"""Of one frame; steering sends a few at most."""
_SOONEST_RESEND_S, _LATEST_RESEND_S = 0.1, 0.5


class PlayerNode(Node):
    def __init__(self) -> None:
        super().__init__("replay_player")
        self._params = LiveParameters(self, PlayerParams)
        params = self._params.value
        self._stages = settings.stages_of(params.recompute)
        if unknown := set(self._stages) - set(STAGES):
            raise ParamError(f"recompute: {', '.join(sorted(unknown))} is none of {', '.join(STAGES)}")
        if not params.bag:
            raise StartError("replay needs a bag: bag:=FOLDER")
        self._path = Path(params.bag).expanduser()
        try:
            self._source = open_source(self._path, params.topic)
            self._source.say = self.get_logger().warning
            self._recorded = recorded_frames(self._source)
        except RecordingError as error:
            raise StartError(str(error)) from error
        self._chosen = self._read_parameters(params)
        self._speaker = self._hear()
        self._played = PlayedMessages(self, self._source, self._stages, self._speaker)
        self._frames: dict[int, Frame] = {}
        self._answered: dict[int, set[str]] = {}
        self._changed = threading.Condition()
        self._unanswered = 0
        self._reported = 0.0
        self._usual = 0.1
        """Seconds that answers usually take."""
        self._resent = 0
        self._stop = False
        self._results = None if params.nodes else ResultPublishers(self, self._stages)
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10)
        self._images = FramePublisher(self)
        if params.nodes:
            self._subscribe()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(5.0)

    def _read_parameters(self, params: PlayerParams) -> dict[str, dict[str, Any]]:
        """Recorded parameters and the user's over them, for what is computed here."""
        given = settings.from_file(Path(params.params_file).expanduser()) if params.params_file else {}
        merged = settings.merged(usable(self._source.recorded_parameters()), given)
        check_parameters({stage: merged.get(stage, {}) for stage in self._stages})
        return merged

    def _hear(self) -> Speaker | None:
        """Voices have no node of their own in a replay: sound is heard here, at once."""
        if "speaker" not in self._stages:
            return None
        try:
            return Speaker(self._source, self._chosen.get("speaker", {}))
        except RecordingError as error:
            raise StartError(str(error)) from error

    def _subscribe(self) -> None:
        if "perception" in self._stages:
            subscribe(self, FaceArray, "faces", self._on_faces, qos.RESULT)
        if "overlay" in self._stages:
            subscribe(self, AfOverlay, "af_overlay", self._on_overlay, qos.RESULT)
        if "steering" in self._stages:
            subscribe(self, SteeringCommand, "command", self._on_command, qos.RESULT)
            subscribe(self, SteeringState, "state", self._on_state, qos.RESULT)

    def _on_faces(self, message: FaceArray) -> None:
        def take(frame: Frame) -> None:
            frame.faces, frame.target = faces_from_msg(message), message.target

        self._note("faces", message, take)

    def _on_overlay(self, message: AfOverlay) -> None:
        self._note("af_overlay", message, lambda frame: setattr(frame, "boxes", af_boxes_from_msg(message)))

    def _on_state(self, message: SteeringState) -> None:
        def take(frame: Frame) -> None:
            frame.status, frame.reason, frame.steering_target = (
                SteeringStatus(message.state),
                message.reason,
                message.target,
            )
            frame.speaking = message.speaking

        self._note("state", message, take)

    def _on_command(self, message: SteeringCommand) -> None:
        action = Action(ActionKind(message.action), message.reason, message.x, message.y)

        def take(frame: Frame) -> None:
            if len(frame.actions) < _MOST_ACTIONS:
                frame.actions.append(action)

        self._note("command", message, take, again=True)

    def _note(self, stream: str, message: Any, take: Any, again: bool = False) -> None:
        stamp = to_ns(message.header.stamp)
        with self._changed:
            frame = self._frames.get(stamp)
            if frame is None or (stream in self._answered[stamp] and not again):
                return
            take(frame)
            self._answered[stamp].add(stream)
            self._changed.notify_all()

    def _run(self) -> None:
        failure = ""
        play = self._play if self._params.value.nodes else self._compute
        try:
            play()
            while self._params.value.loop and not self._stop:
                play()
        except (RecordingError, ParamError) as error:
            failure = str(error)
            self.get_logger().error(failure)
        if self._stop:
            return
        try:
            self._finish(failure)
        finally:
            shut_down_context()

    def _compute(self) -> None:
        """Computes every frame here, as fast as it goes, and publishes what has subscribers."""
        self._frames.clear()
        self._played.rewind()
        started, recorded = 0.0, copy.deepcopy(self._recorded)
        for frame in compute(
            self._source, self._stages, self._chosen, recorded=recorded, show=self._show, speaker=self._speaker
        ):
            if self._stop:
                return
            started = started or time.monotonic()  # the models are open now
            self._frames[frame.stamp_ns] = frame
            if self._results is not None:
                self._results.publish(frame)
            self._report_progress(started)

    def _show(self, stamp: int, picture: BGR) -> None:
        header = Header(stamp=from_ns(stamp), frame_id="camera")
        self._clock_publisher.publish(Clock(clock=header.stamp))
        self._played.publish_before(stamp)
        if self._images.watched:
            self._images.publish(picture, header)
        self._played.publish_at(stamp)

    def _play(self) -> None:
        self._frames.clear()
        self._answered.clear()
        self._unanswered = 0
        started, first = time.monotonic(), -1
        for stamp, picture in self._source.frames():
            if self._stop:
                return
            if stamp in self._frames:
                continue
            self._report_progress(started)
            params = self._params.value
            known = self._recorded.get(stamp)
            frame = Frame(stamp, size=(picture.shape[1], picture.shape[0]))
            if known is not None:
                frame.truth = known.truth
                self._keep_recorded(frame, known)
            with self._changed:
                self._frames[stamp] = frame
                self._answered[stamp] = set()
            image = picture, Header(stamp=from_ns(stamp), frame_id="camera")
            if first < 0:
                self._played.begin(stamp)
                # the nodes may still be loading their models
                self._send(image)
                if not self._wait(stamp, params.start_timeout, image):
                    missing = ", ".join(sorted(self._expected(frame) - self._answered[stamp]))
                    raise RecordingError(f"no answer ({missing}) to the first frame in {params.start_timeout:.0f} s")
                started, first = time.monotonic(), stamp
            elif params.rate == 0:
                self._send(image)
                if not self._wait(stamp, params.answer_timeout, image):
                    self._unanswered += 1
            else:
                due = started + (stamp - first) / 1e9 / params.rate
                with self._changed:
                    self._changed.wait_for(lambda: self._stop, max(0.0, due - time.monotonic()))
                self._send(image)
        if self._params.value.rate > 0:
            time.sleep(0.5)  # the last answers

    def _report_progress(self, started: float) -> None:
        now = time.monotonic()
        if now - self._reported > 5.0 and self._frames:
            self._reported = now
            total = max(self._source.frame_count, len(self._frames))
            rate = len(self._frames) / max(now - started, 1e-3)
            self.get_logger().info(
                f"{len(self._frames)} of {total} frames, {rate:.1f} a second, {self._resent} sent again"
            )

    def _keep_recorded(self, frame: Frame, known: Frame) -> None:
        if "perception" not in self._stages:
            frame.faces, frame.target = known.faces, known.target
        if "overlay" not in self._stages:
            frame.boxes = known.boxes
        if "steering" not in self._stages:
            frame.status, frame.reason, frame.steering_target = known.status, known.reason, known.steering_target
            frame.actions = known.actions
        if "speaker" not in self._stages:
            frame.speaking = known.speaking

    def _send(self, image: tuple[BGR, Header]) -> None:
        picture, header = image
        self._clock_publisher.publish(Clock(clock=header.stamp))
        self._played.publish_before(to_ns(header.stamp))
        self._images.publish(picture, header)
        self._played.publish_at(to_ns(header.stamp))

    def _expected(self, frame: Frame) -> set[str]:
        expected = {_ANSWERS[stage] for stage in self._stages if stage in _ANSWERS}
        has_faces = "perception" in self._stages or frame.faces is not None
        has_boxes = "overlay" in self._stages or frame.boxes is not None
        return expected if has_faces and has_boxes else expected - {"state"}

    def _wait(self, stamp: int, timeout: float, image: tuple[BGR, Header]) -> bool:
        """Until the frame is answered; sends it again now and then, for a lost picture is never sent by DDS again."""
        started = time.monotonic()
        expected = self._expected(self._frames[stamp])
        while not self._stop:
            patience = min(max(4 * self._usual, _SOONEST_RESEND_S), _LATEST_RESEND_S)
            with self._changed:
                if self._changed.wait_for(lambda: self._stop or expected <= self._answered[stamp], patience):
                    self._usual += 0.1 * (time.monotonic() - started - self._usual)
                    return True
            if time.monotonic() - started > timeout:
                return False
            self._resent += 1
            self._send(image)
        return True

    def _finish(self, failure: str) -> None:
        frames = [self._frames[stamp] for stamp in sorted(self._frames)]
        params = self._params.value
        if failure or not frames:
            return
        recorded = [self._recorded[stamp] for stamp in sorted(self._recorded)]
        report = make_report(frames, self._path, self._stages, {}, recorded)
        report["unanswered"] = self._unanswered
        self.get_logger().info("\n" + table(report) + (f"\nunanswered {self._unanswered}" if self._unanswered else ""))
        try:
            if params.results:
                write_results(Path(params.results), frames)
            if params.report:
                write_report(Path(params.report), report)
        except OSError as error:
            self.get_logger().error(f"{error.filename}: {error.strerror}")
