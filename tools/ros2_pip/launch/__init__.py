"""The part of ROS 2's ``launch`` that face_af's launch files use, for machines without an installed ROS 2.

Names and behaviour follow the real package, so that every launch file runs unchanged under either;
anything that is not here raises an error that names it.
"""

from ._limits import unsupplied
from .conditions import Condition
from .entities import Action, LaunchDescription, LaunchDescriptionEntity
from .event_handlers import EventHandler
from .launch_context import LaunchContext
from .launch_description_sources import LaunchDescriptionSource
from .launch_service import LaunchService
from .substitutions import SomeSubstitutionsType, Substitution

__all__ = [
    "Action",
    "Condition",
    "EventHandler",
    "LaunchContext",
    "LaunchDescription",
    "LaunchDescriptionEntity",
    "LaunchDescriptionSource",
    "LaunchService",
    "SomeSubstitutionsType",
    "Substitution",
]

__getattr__ = unsupplied(
    __name__, ("actions", "conditions", "event_handlers", "events", "launch_description_sources", "substitutions")
)
