"""What two or more nodes share; importing it makes the project's own wheels importable (:mod:`.wheels`)."""

import os

from .wheels import add_venv

add_venv()
# ONNX Runtime 1.29 and newer tell Microsoft which models run where, unless this is set before it is loaded
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
