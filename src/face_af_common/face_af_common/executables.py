"""What ``ros2 run`` and launch start for each node. Importing one takes seconds: Ctrl-C is quiet from the start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

from . import standby
from .memory import keep_freed_memory
from .wheels import ADVICE


def _node(module: str) -> Callable[[], int]:
    def start() -> int:
        try:
            standby.step_back()
            keep_freed_memory()
            main: Callable[[], int] = import_module(module).main
        except KeyboardInterrupt:
            return 0
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith(("face_af", "nikon_mcn10")):
                raise
            print(f"{module}: the Python package '{error.name}' is missing: {ADVICE}", file=sys.stderr)
            return 2  # like node_main: starting it again would not help
        except ImportError as error:
            # an extension module that is just being imported makes this of Ctrl-C
            if not isinstance(error.__cause__, KeyboardInterrupt):
                raise
            return 0
        return main()

    return start


capture = _node("face_af_capture.node")
debug_view = _node("face_af_view.debug_view_node")
health = _node("face_af.health_node")
nikon_mcn10 = _node("nikon_mcn10_driver.node")
overlay = _node("face_af_overlay.node")
perception = _node("face_af_perception.node")
recorder = _node("face_af_recording.recorder_node")
replay_player = _node("face_af_recording.player_node")
stage = _node("face_af_sim.node")
steering = _node("face_af_steering.node")
