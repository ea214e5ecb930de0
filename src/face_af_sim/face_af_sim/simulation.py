"""Stage, people and camera together: one picture and the truth about it for each time. No ROS, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from face_af_common.buffers import unused
from face_af_common.images import BGR
from face_af_common.types import AfState

from .af_graphics import AfBoxStyle, OsdReadings, draw_af_box, draw_osd
from .body import BodyParams, CameraBody, CameraView
from .choreography import Choreography
from .hdmi import CLEAN, HdmiArtefacts, transmit
from .people import Figures
from .sprites import Layer
from .stage import Actor, Stage

HDMI: dict[str, HdmiArtefacts] = {
    "clean": CLEAN,
    "422": HdmiArtefacts(chroma_422=True),
    "mjpeg": HdmiArtefacts(jpeg_quality=85),
    "poor": HdmiArtefacts(jpeg_quality=70, blur=0.8, noise=3.0),
}
"""What happens to the picture on its way from the camera to the computer, by name."""


@dataclass(frozen=True)
class Frame:
    """What is to be seen and known at one time. ``picture`` is not drawn into again while it is referred to."""

    now: float
    picture: BGR
    actors: tuple[Actor, ...]
    camera: CameraView


class Simulation:
    """``body`` is the camera; give it to the wire protocol. Frames are asked for in order of time."""

    def __init__(
        self,
        figures: Sequence[Figures],
        target: str,
        *,
        seed: int = 0,
        width: int = 1920,
        height: int = 1080,
        hdmi: str = "clean",
        body: BodyParams | None = None,
    ) -> None:
        self.target = target
        self.body = CameraBody(body or BodyParams(), width, height, seed)
        self._stage = Stage(figures, width, height, seed)
        self._choreography = Choreography([figure.name for figure in figures], target, seed)
        self._artefacts = HDMI[hdmi]
        self._rng = np.random.default_rng([seed, 5])
        self._display = Layer.of(lambda picture: draw_osd(picture, OsdReadings(roll=None)), width, height)
        self._style = AfBoxStyle(line=max(2.0, 3.0 * height / 1080))
        self._size = width, height
        self._buffers: list[BGR] = []

    def frame(self, now: float) -> Frame:
        """The frame at ``now``, seconds since the curtain rose."""
        placements = self._choreography.at(now)
        actors = self._stage.actors(placements)
        view = self.body.see(now, actors)
        width, height = self._size
        buffer = unused(self._buffers)
        if buffer is None:
            buffer = np.empty((height, width, 3), np.uint8)
        self._buffers.append(buffer)
        picture = self._stage.render(now, placements, buffer)
        # the chosen one's box lies on top
        for box in sorted(view.boxes, key=lambda box: box.state != AfState.DETECTED):
            draw_af_box(picture, box.box, box.state, self._style)
        self._display.paint(picture)
        picture = transmit(picture, self._artefacts, self._rng)
        self.body.show(picture)
        return Frame(now, picture, tuple(actors), view)
