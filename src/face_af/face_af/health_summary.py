"""Diagnostics of many nodes as one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS = ("OK", "WARN", "ERROR", "STALE")
_SILENT_AFTER_S = 3.0


@dataclass
class NodeHealth:
    """The newest status of one node. ``level``: index into :data:`WORDS`; ``heard``: monotonic seconds."""

    level: int
    message: str
    heard: float
    values: dict[str, str] = field(default_factory=dict)


def worst(nodes: Mapping[str, NodeHealth], now: float) -> int:
    """The worst level: ERROR before a silent node (STALE) before WARN before OK; STALE when there is none."""
    order = {0: 0, 1: 1, 3: 2, 2: 3}
    levels = [3 if now - node.heard > _SILENT_AFTER_S else node.level for node in nodes.values()]
    return max(levels, key=lambda level: order[level], default=3)


def health_line(nodes: Mapping[str, NodeHealth], now: float) -> str:
    """``OK | capture 30.0/s | perception 29.8/s 24 ms | …``; what is wrong is said in words."""
    if not nodes:
        return "STALE | no node reports"
    parts = [f"{name.rsplit('/', 1)[-1]} {_state(nodes[name], now)}" for name in sorted(nodes)]
    return " | ".join([WORDS[worst(nodes, now)], *parts])


def _state(node: NodeHealth, now: float) -> str:
    silent = now - node.heard
    if silent > _SILENT_AFTER_S:
        return f"silent for {silent:.0f} s"
    figures = []
    if (rate := node.values.get("rate_hz")) and rate != "0.0":
        figures.append(f"{rate}/s")
    if latency := node.values.get("latency_p95_ms"):
        figures.append(f"{float(latency):.0f} ms")
    if (drops := node.values.get("drops", "0")) != "0":
        figures.append(f"{drops} dropped")
    if node.level:
        figures.append(f"{WORDS[node.level]}: {node.message}")
    return " ".join(figures) or node.message
