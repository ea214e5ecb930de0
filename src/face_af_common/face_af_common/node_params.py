"""Every node's parameter dataclass, by node name."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping

_HOMES = {
    "capture": ("face_af_capture.params", "CaptureNodeParams"),
    "perception": ("face_af_perception.params", "PerceptionNodeParams"),
    "overlay": ("face_af_overlay.params", "OverlayNodeParams"),
    "steering": ("face_af_steering.params", "SteeringNodeParams"),
    "nikon_mcn10": ("nikon_mcn10_driver.params", "DriverParams"),
    "debug_view": ("face_af_view.params", "DebugViewParams"),
    "page": ("face_af_view.params", "PageParams"),
    "recorder": ("face_af_recording.recorder.params", "RecorderParams"),
    "speaker": ("face_af_speaker.params", "SpeakerNodeParams"),
    "outputs": ("face_af_outputs.params", "OutputsNodeParams"),
    "stage": ("face_af_sim.params", "StageNodeParams"),
}


class _NodeParams(Mapping[str, type]):
    """Imports a dataclass when it is asked for; nodes whose package is not built here are not in it."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, str) and node in _HOMES and _exists(_HOMES[node][0])

    def __getitem__(self, node: str) -> type:
        if node not in self:
            raise KeyError(node)
        module, name = _HOMES[node]
        kind: type = getattr(importlib.import_module(module), name)
        return kind

    def __iter__(self) -> Iterator[str]:
        return (node for node, (module, _) in _HOMES.items() if _exists(module))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


NODES: Mapping[str, type] = _NodeParams()
"""What :func:`face_af_common.param_files.check_file` and the generated configuration go by."""
