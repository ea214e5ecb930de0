"""Models and gallery, loaded in a thread of their own while frames go on, and tried again after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from face_af_common.names import short
from face_af_common.paths import gallery_dir
from face_af_gallery.gallery import Gallery
from face_af_gallery.model import GalleryError
from face_af_inference.runtimes import ModelError

from .analyser import FaceAnalyser
from .params import PerceptionNodeParams

RETRY_S = (2.0, 5.0, 15.0, 60.0)
"""Seconds until the next try after the first, second … failure."""

Loaded = tuple[FaceAnalyser, Gallery | None]
"""The models, and the gallery unless it cannot be read."""


class Loader:
    """Call :meth:`start`, and :meth:`take` from time to time.

    ``model_problem`` and ``gallery_problem`` are one line each, or empty; ``progress``: what it is about. ``say`` gets
    lines for the log, from the thread.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.model_problem = ""
        self.gallery_problem = ""
        self.progress = ""
        self._say = say
        self._thread: threading.Thread | None = None
        self._loaded: Loaded | None = None
        self._failures = 0
        self._retry_at = 0.0

    @property
    def busy(self) -> bool:
        """Whether something is being loaded, or has been and was not taken yet."""
        return self._thread is not None

    @property
    def may_retry(self) -> bool:
        """Whether the last failure is long enough ago."""
        return time.monotonic() > self._retry_at

    def start(self, params: PerceptionNodeParams, analyser: FaceAnalyser | None = None) -> None:
        """Loads models and gallery; the gallery only, where ``analyser`` is there already."""
        self._thread = threading.Thread(target=self._load, args=(params, analyser), daemon=True)
        self._thread.start()

    def take(self) -> Loaded | None:
        """What has been loaded, once; None while it is not ready, or where the models could not be loaded."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread.join()
        self._thread = None
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            self._retry_at = time.monotonic() + RETRY_S[min(self._failures, len(RETRY_S) - 1)]
            self._failures += 1
            return None
        self._failures = 0
        if loaded[1] is None:
            self._retry_at = time.monotonic() + RETRY_S[1]
        return loaded

    def blame(self, problem: str) -> None:
        """The models that were loaded do not work: they are tried again, but not soon."""
        self.model_problem = problem
        self._retry_at = time.monotonic() + RETRY_S[-1]

    def wants_gallery(self, gallery: Gallery | None) -> bool:
        """Whether the gallery should be read (again); after a failure not at once."""
        if self.gallery_problem and not self.may_retry:
            return False
        return bool(self.gallery_problem) if gallery is None else gallery.changed_on_disk()

    # -- in the thread -----------------------------------------------------------------------------------------------

    def _load(self, params: PerceptionNodeParams, analyser: FaceAnalyser | None) -> None:
        if analyser is None:
            try:
                analyser = FaceAnalyser.of(params, on_progress=self._on_progress)
                analyser.warm_up()
            except ModelError as error:
                self.model_problem = str(error)
                return
            except Exception as error:  # of a runtime, or of memory: tried again like everything else
                self.model_problem = short(f"the models cannot be loaded ({type(error).__name__}: {error})", 300)
                return
            self.model_problem = ""
        self._loaded = (analyser, self._gallery(params, analyser))

    def _gallery(self, params: PerceptionNodeParams, analyser: FaceAnalyser) -> Gallery | None:
        folder = gallery_dir(params.gallery)
        try:
            gallery = Gallery.open(folder, analyser.embedder, create=True, progress=self._on_embedding)
        except GalleryError as error:
            self.gallery_problem = str(error)
            return None
        except Exception as error:
            self.gallery_problem = short(f"{folder}: cannot be read ({type(error).__name__}: {error})", 300)
            return None
        self.gallery_problem = ""
        _ = gallery.upper  # embeds the upper halves of faces here, rather than when the first mask is seen
        return gallery

    def _on_progress(self, line: str) -> None:
        self.progress = line
        self._say(line)

    def _on_embedding(self, done: int, total: int) -> None:
        self.progress = f"embedding the gallery's samples with another model: {done} of {total}"
        if done in (1, total):
            self._say(self.progress)
