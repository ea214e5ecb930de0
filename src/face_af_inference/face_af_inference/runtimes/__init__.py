"""Runs ONNX networks on what the machine has: :func:`open_runner`."""

from .base import ModelError, Runner
from .registry import RUNTIMES, open_runner

__all__ = ["RUNTIMES", "ModelError", "Runner", "open_runner"]
