"""Where frames come from, one module for each kind."""

from __future__ import annotations

from threading import Event

from ..params import CaptureNodeParams
from .base import Source


def open_source(params: CaptureNodeParams, stop: Event) -> Source:
    """Opens what the parameters name. Raises :class:`.base.SourceError` where that cannot be done now."""
    # imported when wanted: each brings dependencies of its own
    if params.source == "v4l2":
        from .v4l2 import open_v4l2

        return open_v4l2(params)
    if params.source == "gstreamer":
        from .gstreamer import open_gstreamer

        return open_gstreamer(params)
    if params.source == "file":
        from .video_file import VideoFile

        return VideoFile(params, stop)
    from .folder import ImageFolder

    return ImageFolder(params, stop)
