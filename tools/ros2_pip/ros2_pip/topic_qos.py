"""What fits a topic: its type and its quality of service, as the graph shows them."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from .graph import Graph, absolute
from .main import CommandError, like


def wait_for_types(g: Graph, topic: str, timeout: float | None = 3.0) -> list[str]:
    """The topic's types. CommandError where it is not seen within ``timeout`` seconds (None: for ever)."""
    name = absolute(topic)
    if not g.wait_for(lambda: dict(g.topics(hidden=True)).get(name), timeout):
        raise CommandError(f"Unknown topic '{topic}'{like(name, [known for known, _ in g.topics()])}")
    return dict(g.topics(hidden=True))[name]


def matching_qos(g: Graph, topic: str) -> QoSProfile:
    """What fits every publisher that is there: reliable and latched only where all of them are."""
    offered = [entry.qos_profile for entry in g.node.get_publishers_info_by_topic(topic)]
    profile = QoSProfile(depth=10, history=HistoryPolicy.KEEP_LAST)
    reliable = bool(offered) and all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
    latched = bool(offered) and all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
    profile.reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    profile.durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    return profile
