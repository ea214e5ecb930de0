"""Native TensorRT (8.6, 10 and 11) with PyCUDA: one stream, pinned buffers, engines from the cache."""

from __future__ import annotations


def missing() -> str:
    """Why native TensorRT cannot be used here; empty where it may work."""
    try:
        import tensorrt
    except ImportError as error:
        return f"TensorRT's Python package is not installed ({error})"
    # type stubs alone make an empty package of that name
    if not hasattr(tensorrt, "Builder"):
        return "TensorRT's Python package is not installed"
    try:
        import pycuda.driver  # noqa: F401
    except ImportError as error:
        return f"PyCUDA is not installed ({error})"
    return ""
