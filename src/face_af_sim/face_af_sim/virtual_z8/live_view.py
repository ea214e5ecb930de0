"""The header in front of the virtual camera's live-view pictures."""

from __future__ import annotations

from face_af_common.types import AfState
from nikon_mcn10_driver.ptp import LiveViewBox, LiveViewHeader

from ..controls import LiveView

_WHOLE_WIDTH = 7680
"""Width of the AF area's space: not the picture's, so that a client has to read the header."""

_MAX_BOXES = 40


def whole_size(view: LiveView) -> tuple[int, int]:
    """Width and height of the space in which AF areas and boxes are given."""
    return _WHOLE_WIDTH, max(1, round(_WHOLE_WIDTH * view.height / view.width))


def live_view_header(view: LiveView) -> LiveViewHeader:
    """The header of a picture: its boxes in the space of the sensor, the selected one marked."""
    whole = whole_size(view)
    scale = whole[0] / view.width
    boxes = tuple(
        LiveViewBox(
            *(
                max(0, min(round(v * scale), 0xFFFF))
                for v in (b.box.width, b.box.height, b.box.center[0], b.box.center[1])
            )
        )
        for b in view.boxes[:_MAX_BOXES]
    )
    chosen = next((i for i, b in enumerate(view.boxes[:_MAX_BOXES]) if b.chosen), None)
    area = (
        boxes[chosen]
        if chosen is not None
        else LiveViewBox(whole[0] // 10, whole[0] // 10, whole[0] // 2, whole[1] // 2)
    )
    focused = chosen is not None and view.boxes[chosen].state == AfState.ACTIVE_FOCUS
    return LiveViewHeader(
        jpeg_size=len(view.jpeg),
        whole=whole,
        displayed=whole,
        displayed_center=(whole[0] // 2, whole[1] // 2),
        image=(view.width, view.height),
        boxes=(area, *boxes),
        selected=0 if chosen is None else chosen + 1,
        af_driving=chosen is not None and not focused,
        af_result=2 if focused else 1 if chosen is not None else 0,
        tracking=chosen is not None,
    )
