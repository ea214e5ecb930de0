"""The speaker node's core on recorded sound: who was heard at each frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from face_af_common.names import canonical_name
from face_af_common.node_params import NODES
from face_af_common.params import build
from face_af_common.paths import gallery_dir, model_dirs
from face_af_steering.engine import HEARD_S

from ..bag.bag_folder import RecordingError
from .source import VIDEO_START_NS, BagSource, Source

if TYPE_CHECKING:
    from face_af_speaker.features import Sound
    from face_af_speaker.listener import Heard, Listened
    from face_af_speaker.networks import VoiceEmbedder

_AUDIO = "face_af_msgs/msg/Audio"
_GAP_NS = 250_000_000
"""Sound that comes so much later than it should begins anew: messages were lost, or the device was."""
_MODELS = ("embedder", "model_dir", "manifest", "channel")


class Speaker:
    """Answers who was heard at a time. Everything is heard at once, before the first frame.

    ``earlier``: a run with other parameters, whose networks' answers are used again where they are the same. Raises
    :class:`RecordingError` where there is no sound, no voice or no model.
    """

    def __init__(self, source: Source, params: Mapping[str, Any], earlier: Speaker | None = None) -> None:
        from face_af_gallery.model import GalleryError
        from face_af_gallery.voices import VoiceGallery
        from face_af_inference.runtimes import ModelError
        from face_af_speaker.identification import VoiceMatcher
        from face_af_speaker.listener import NamingParams, VoiceNamer

        value: Any = build(NODES["speaker"], params)
        self._models = [getattr(value, name) for name in _MODELS]
        self._listened: list[list[tuple[int, Listened]]]
        self._embedder: VoiceEmbedder
        if earlier is not None and earlier._models == self._models:
            self._listened, self._embedder = earlier._listened, earlier._embedder
        else:
            try:
                self._listen(source, value)
            except ModelError as error:
                raise RecordingError(str(error)) from error
        try:
            gallery = VoiceGallery.open(gallery_dir(value.gallery), self._embedder.model_id)
        except GalleryError as error:
            raise RecordingError(str(error)) from error
        recorded = source.recorded_parameters().get("speaker", {}).get("offset", 0.0)
        self._shift_ns = round((value.offset - float(recorded)) * 1e9)
        matcher = VoiceMatcher(gallery, value.threshold or self._embedder.threshold, value.margin)
        self.heard: list[tuple[int, Heard]] = []
        """Each update and its stamp, nanoseconds, in order."""
        for part in self._listened:
            namer = VoiceNamer(matcher, NamingParams(hysteresis=value.hysteresis))
            self.heard += [(stamp - self._shift_ns, namer.name(listened)) for stamp, listened in part]
        self._stamps = [stamp for stamp, _ in self.heard]

    def _listen(self, source: Source, value: Any) -> None:
        from face_af_speaker.features import RATE
        from face_af_speaker.listener import Ear
        from face_af_speaker.networks import open_networks

        manifest = Path(value.manifest) if value.manifest else None
        activity, self._embedder = open_networks(value.embedder, model_dirs(value.model_dir), manifest)
        self._listened = []
        due = -1
        ear = Ear(activity, self._embedder)
        for start, sound in recorded_sound(source, value.channel):
            if due < 0 or abs(start - due) > _GAP_NS:
                ear = Ear(activity, self._embedder)
                self._listened.append([])
            due = start + len(sound) * 1_000_000_000 // RATE
            self._listened[-1] += ear.feed(sound, due)
        if not self._listened:
            raise RecordingError(f"{source.path} holds no sound; record it with record_audio:=true")

    def __call__(self, stamp_ns: int) -> str:
        """Who was heard last before a frame, as steering knew it; empty: nobody who is known."""
        index = bisect_right(self._stamps, stamp_ns) - 1
        if index < 0 or stamp_ns - self._stamps[index] > HEARD_S * 1e9:
            return ""
        heard = self.heard[index][1]
        return canonical_name(heard.identity) if heard.speaking else ""


def recorded_sound(source: Source, channel: int = 0) -> Iterator[tuple[int, Sound]]:
    """The sound of a bag or video at 16 kHz, and when each piece begins, nanoseconds. :class:`RecordingError`."""
    from face_af_speaker.features import RATE, from_pcm
    from face_af_speaker.sound_files import Piece, SoundError, blocks

    if isinstance(source, BagSource):
        topics = {name for name, kind in source.topics.items() if kind == _AUDIO}
        for message in source.messages(topics) if topics else ():
            if message.value.sample_rate != RATE:
                raise RecordingError(f"{source.path}: sound at {message.value.sample_rate} Hz, {RATE} are needed")
            yield message.stamp_ns, from_pcm(np.asarray(message.value.samples, np.int16))
        return
    count = 0
    try:
        for sound in blocks(Piece(source.path), channel):
            yield VIDEO_START_NS + count * 1_000_000_000 // RATE, sound
            count += len(sound)
    except SoundError as error:
        raise RecordingError(str(error)) from error
