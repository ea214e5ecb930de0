"""Message classes by their type name."""

from __future__ import annotations

import importlib
from typing import Any


def find_type(name: str) -> Any:
    """The class of ``package/msg/Name``; ImportError, AttributeError or ValueError when it is not installed."""
    package, middle, leaf = name.split("/")
    return getattr(importlib.import_module(f"{package}.{middle}"), leaf)
