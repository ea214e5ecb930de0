"""What was heard last, for enrolling it live: the newest windows of speech, embedded; never the sound."""

from __future__ import annotations

from collections import deque

import numpy as np

from face_af_gallery.voices import VoiceGallery

from .enrolment import Enrolled, add_session
from .features import FRAMES_A_SECOND
from .listener import Listened
from .networks import Floats
from .segments import one_voice_each
from .sound_files import SoundError
from .voice_windows import BLOCK, FRAMES

LEAST_S, USUAL_S, MOST_S = 5.0, 10.0, 60.0
"""Of speech that is enrolled: at least, unless told otherwise, at most."""
_BLOCK_S, _WINDOW_S = BLOCK / FRAMES_A_SECOND, FRAMES / FRAMES_A_SECOND


class NewestVoice:
    """The last :data:`MOST_S` seconds of speech, whoever spoke."""

    def __init__(self) -> None:
        self._windows: deque[Floats] = deque(maxlen=round(MOST_S / _BLOCK_S))

    def hear(self, listened: Listened) -> None:
        self._windows.extend(parts[2] for parts in listened.parts if len(parts) == 3)

    def enrol(self, gallery: VoiceGallery, name: str, seconds: float) -> Enrolled:
        """Adds the newest ``seconds`` (0: the usual) as a session of ``name``.

        Less, where another person'spoke before. Raises :class:`SoundError` for too little speech; ``GalleryError``.
        """
        wanted = seconds or USUAL_S
        if not LEAST_S <= wanted <= MOST_S:
            raise SoundError(f"seconds: {LEAST_S:g} to {MOST_S:g} are needed, got {seconds:g}")
        windows = np.array(list(self._windows)[-max(1, round((wanted - _WINDOW_S) / _BLOCK_S) + 1) :], np.float32)
        if len(windows):
            windows = windows[one_voice_each(windows)[-1][0] :]
        got = _WINDOW_S + (len(windows) - 1) * _BLOCK_S if len(windows) else 0.0
        if got < LEAST_S:
            raise SoundError(f"{name}: {got:g} s of one voice were heard last, {LEAST_S:g} are needed; speak, then ask")
        done = add_session(gallery, name, windows, got, f"the last {got:g} s of speech")
        self._windows.clear()  # the same speech twice would be no second session
        return done
