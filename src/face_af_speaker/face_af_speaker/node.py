"""The speaker node: sound in, ``speaker`` out, two to four times a second."""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import deque
from pathlib import Path

from rclpy.node import Node

from face_af_common.conversions import speakers_to_msg
from face_af_common.diagnostics import WARN, Health
from face_af_common.live_parameters import LiveParameters
from face_af_common.paths import gallery_dir, model_dirs
from face_af_common.qos import RESULT
from face_af_common.runtime import StartError
from face_af_common.services import serve
from face_af_common.stamps import from_ns
from face_af_gallery.model import GalleryError
from face_af_gallery.voices import VoiceGallery
from face_af_inference.runtimes import ModelError
from face_af_msgs.msg import Audio, SpeakerArray
from face_af_msgs.srv import EnrollVoice

from .features import RATE, Sound, pcm
from .identification import VoiceMatcher
from .listener import UPDATE_S, Heard, Listener, NamingParams
from .networks import VoiceEmbedder, open_networks
from .newest_voice import NewestVoice
from .params import SpeakerNodeParams
from .sound_files import SoundError
from .sound_source import SoundSource

SILENCE_S = 30.0
"""Nothing but zeros for so long: the input is muted, or the wrong one."""
CLIPPED = 0.001
"""Share of samples at the end of the scale, above which the input is too loud."""
_JUDGED_S, _LOUD_S = 10.0, 2.0
"""The level is judged over so long; in it so much too loud sound is told of."""


class SpeakerNode(Node):
    """Publishes who is heard. Everything happens in the thread of its :class:`SoundSource`."""

    def __init__(self) -> None:
        super().__init__("speaker")
        self._live = LiveParameters(self, SpeakerNodeParams)
        params = self._live.value
        self._health = Health(self, hardware_id=params.source, extra=self._figures)
        try:
            activity, self._embedder = open_networks(
                params.embedder, model_dirs(params.model_dir), Path(params.manifest) if params.manifest else None
            )
            self._gallery = VoiceGallery.open(gallery_dir(params.gallery), self._embedder.model_id, create=True)
        except (ModelError, GalleryError) as error:
            raise StartError(str(error)) from error
        self._matcher = VoiceMatcher(self._gallery, _threshold(params, self._embedder), params.margin)
        self._listener = Listener(activity, self._embedder, self._matcher)
        self._newest_voice = NewestVoice()
        self._listener.on_listened = self._newest_voice.hear
        self._lock = threading.Lock()
        self._live.on_change(self._on_params)
        self._on_params(params)
        self._publisher = self.create_publisher(SpeakerArray, "speaker", RESULT)
        self._audio = self.create_publisher(Audio, "audio", RESULT)
        self._levels: deque[tuple[float, float]] = deque(maxlen=round(_JUDGED_S / UPDATE_S))
        self._silent_s = 0.0
        self._newest: Heard | None = None
        self._problem = ""
        self._source = SoundSource(
            params.source, params.channel, self._on_sound, self._now_ns, self._on_problem, loop=params.loop
        )
        self._source.start()
        serve(self, EnrollVoice, "enroll_voice", self._on_enrol)

    def close(self) -> None:
        self._source.close()

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _on_params(self, params: SpeakerNodeParams) -> None:
        with self._lock:
            self._matcher.threshold = _threshold(params, self._embedder)
            self._matcher.margin = params.margin
            self._listener.namer.params = NamingParams(hysteresis=params.hysteresis)

    def _on_enrol(self, request: EnrollVoice.Request, response: EnrollVoice.Response) -> EnrollVoice.Response:
        try:
            with self._lock:
                done = self._newest_voice.enrol(self._gallery, request.identity, request.seconds)
        except (GalleryError, SoundError) as error:
            response.message = str(error)
        else:
            response.success, response.seconds = True, done.seconds
            response.message = f"{request.identity}: {done.seconds:g} s of speech enrolled, similarity {done.alike:.2f}"
        return response

    def _on_problem(self, line: str) -> None:
        if line == self._problem or not self.context.ok():
            return
        self._problem = line
        if line:
            self._health.fault(line)
        else:
            self._health.recovered("listening")

    def _on_sound(self, sound: Sound, came_ns: int) -> None:
        started = time.monotonic()
        offset_ns = round(self._live.value.offset * 1e9)
        self._publish_audio(sound, came_ns - offset_ns)
        with self._lock:
            if self._gallery.changed_on_disk():
                try:
                    self._gallery.reload()
                except GalleryError as error:
                    self._health.fault(str(error), WARN)
            heard = self._listener.feed_at(sound, came_ns)
        for at_ns, update in heard:
            self._publish(update, at_ns - offset_ns)
            self._health.tick(0, time.monotonic() - started + (came_ns - at_ns) / 1e9)

    def _publish_audio(self, sound: Sound, end_ns: int) -> None:
        """The sound itself, for a recorder: while nobody asks for it, it does not leave this node."""
        if not self.context.ok() or not self._audio.get_subscription_count():
            return
        message = Audio(sample_rate=RATE, samples=array("h", pcm(sound).tobytes()))
        message.header.stamp = from_ns(max(0, end_ns - len(sound) * 1_000_000_000 // RATE))
        message.header.frame_id = "sound"
        self._audio.publish(message)

    def _publish(self, heard: Heard, stamp_ns: int) -> None:
        if not self.context.ok():
            return
        self._newest = heard
        speech = heard.speech
        self._levels.append((speech.peak, speech.clipped))
        span = heard.end - heard.start
        self._silent_s = 0.0 if speech.peak else self._silent_s + span
        self._publisher.publish(speakers_to_msg(stamp_ns, span, speech.share, speech.rms, heard.voices))
        self._report_level()

    def _report_level(self) -> None:
        """Says that the input is too loud, or dead, and when it is not any more."""
        loud = sum(clipped > CLIPPED for _, clipped in self._levels) * UPDATE_S > _LOUD_S
        if self._silent_s > SILENCE_S:
            self._health.fault("only silence comes: is the input muted, or the wrong one?", WARN)
        elif loud:
            self._health.fault("the input is too loud: it is clipped, and names suffer; turn it down", WARN)
        elif self._health.level == WARN and not self._gallery.complaint:
            self._health.recovered("listening")
        elif self._gallery.complaint and self._health.level != WARN:
            self._health.fault(self._gallery.complaint, WARN)

    def _figures(self) -> dict[str, object]:
        newest = self._newest
        if newest is None:
            return {"voices": len(self._gallery.names)}
        return {
            "voices": len(self._gallery.names),
            "peak_dbfs": f"{20 * math.log10(max(max(peak for peak, _ in self._levels), 1e-6)):.1f}",
            "clipped_percent": f"{100 * max(clipped for _, clipped in self._levels):.2f}",
            "speech": f"{newest.speech.share:.2f}",
            "speaker": newest.identity,
            "similarity": f"{newest.similarity:.2f}",
            "ended": self._source.ended,
        }


def _threshold(params: SpeakerNodeParams, embedder: VoiceEmbedder) -> float:
    return params.threshold or embedder.threshold
