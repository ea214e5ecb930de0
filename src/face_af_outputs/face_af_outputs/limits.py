"""How often an action may happen: a least gap, and so many a minute. What is over that is dropped and counted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Limit:
    """``min_gap_s`` between two; at most ``per_minute`` in any 60 s."""

    min_gap_s: float = 1.0
    per_minute: int = 60
    dropped: int = 0
    recent: deque[float] = field(default_factory=deque)
    """When it happened, within the last 60 s."""

    def allows(self, now: float) -> bool:
        """Whether it may happen at ``now`` (steady seconds); counts it, or the drop."""
        while self.recent and now - self.recent[0] >= 60.0:
            self.recent.popleft()
        if (self.recent and now - self.recent[-1] < self.min_gap_s) or len(self.recent) >= self.per_minute:
            self.dropped += 1
            return False
        self.recent.append(now)
        return True
