"""Who is heard, as a message: live, and from a recording."""

from __future__ import annotations

import math

from face_af_common.stamps import from_ns
from face_af_msgs.msg import Speaker, SpeakerArray

from .listener import Heard


def speaker_message(heard: Heard, stamp_ns: int) -> SpeakerArray:
    """``stamp_ns``: of the end of the sound that it is about, on the images' clock."""
    speech = heard.speech
    level = 20 * math.log10(max(speech.rms, 1e-6))
    message = SpeakerArray(span=heard.end - heard.start, speech=speech.share, level=level)
    message.header.stamp = from_ns(max(0, stamp_ns))
    message.header.frame_id = "sound"
    if heard.speaking:
        message.speakers = [Speaker(identity=heard.identity, similarity=heard.similarity)]
    return message
