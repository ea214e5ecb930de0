"""What happens during a launch."""

from .._limits import unsupplied
from .event import Event, Shutdown

__all__ = ["Event", "Shutdown"]

__getattr__ = unsupplied(__name__, ("process",))
