"""What ``ros2 run`` and launch start for each node. Importing one takes seconds: Ctrl-C is quiet from the start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

from .memory import keep_freed_memory, spare_address_space
from .supervisor import USER_ERROR, end_process
from .wheels import ADVICE

NODES = {
    "capture": "face_af_capture.node:CaptureNode",
    "debug_view": "face_af_view.debug_view_node:DebugViewNode",
    "health": "face_af.health_node:HealthNode",
    "nikon_mcn10": "nikon_mcn10_driver.node:DriverNode",
    "overlay": "face_af_overlay.node:OverlayNode",
    "page": "face_af_view.page_node:PageNode",
    "outputs": "face_af_outputs.node:OutputsNode",
    "perception": "face_af_perception.node:PerceptionNode",
    "recorder": "face_af_recording.recorder_node:RecorderNode",
    "replay_player": "face_af_recording.player_node:PlayerNode",
    "speaker": "face_af_speaker.node:SpeakerNode",
    "stage": "face_af_sim.node:StageNode",
    "steering": "face_af_steering.node:SteeringNode",
}
"""Each node's class, by the name that it gives itself. A class may have a ``prepare`` method: what takes time, needs no
node and starts no thread; a process that replaces another one has it done already."""


def run(*names: str) -> int:
    """Runs these nodes in this process, and ends it with their status; returns one where they cannot be run at all."""
    try:
        keep_freed_memory()
        spare_address_space()
        with suppress(ImportError):
            import_module("rosidl_generator_py")  # the first message brings it in otherwise, 0.3 s after the fork
        classes = {name: _class(NODES[name]) for name in names}
        for kind in classes.values():
            getattr(kind, "prepare", lambda: None)()
        from .runtime import run_nodes
    except KeyboardInterrupt:
        return 0
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith(("face_af", "nikon_mcn10")):
            raise
        print(f"{' + '.join(names)}: the Python package '{error.name}' is missing: {ADVICE}", file=sys.stderr)
        return USER_ERROR  # starting it again would not help
    except ImportError as error:
        # an extension module that is just being imported makes this of Ctrl-C
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        return 0
    end_process(run_nodes(classes))  # the nodes are closed


def _class(path: str) -> Callable[[], object]:
    module, _, name = path.partition(":")
    kind: Callable[[], object] = getattr(import_module(module), name)
    return kind


def _node(name: str) -> Callable[[], int]:
    return lambda: run(name)


capture = _node("capture")
debug_view = _node("debug_view")
health = _node("health")
nikon_mcn10 = _node("nikon_mcn10")
outputs = _node("outputs")
overlay = _node("overlay")
page = _node("page")
perception = _node("perception")
recorder = _node("recorder")
replay_player = _node("replay_player")
speaker = _node("speaker")
stage = _node("stage")
steering = _node("steering")
