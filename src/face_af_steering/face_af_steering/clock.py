"""Times of frames, in seconds."""

from __future__ import annotations

import math

NEVER = -math.inf
"""When something happened that has not happened: longer ago than anything."""
