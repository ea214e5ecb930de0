"""Diagnostics of many nodes as one line."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from face_af_common.names import short

WORDS = ("OK", "WARN", "ERROR", "STALE")
_SILENT_AFTER_S = 3.0
_FORGET_AFTER_S = 60.0
_MOST_NODES = 100
_MOST_WORDS = 200
_FIGURES = ("rate_hz", "latency_p95_ms", "drops")


@dataclass
class NodeHealth:
    """The newest status of one node. ``level``: index into :data:`WORDS`; ``heard``: monotonic seconds."""

    level: int
    message: str
    heard: float
    values: dict[str, str] = field(default_factory=dict)


def note(nodes: dict[str, NodeHealth], name: str, health: NodeHealth) -> None:
    """Takes up what anybody on the network has said: of bounded size, on one line, no more nodes than can be read."""
    name = short(name)
    if name in nodes or len(nodes) < _MOST_NODES:
        values = {key: short(health.values[key], 20) for key in _FIGURES if key in health.values}
        nodes[name] = NodeHealth(min(health.level, 3), short(health.message, _MOST_WORDS), health.heard, values)


def forget(nodes: dict[str, NodeHealth], now: float) -> None:
    """Removes who has not been heard for long."""
    for name in [name for name, node in nodes.items() if now - node.heard > _FORGET_AFTER_S]:
        del nodes[name]


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
    with contextlib.suppress(KeyError, ValueError):  # a stranger may say anything
        figures.append(f"{float(node.values['latency_p95_ms']):.0f} ms")
    if (drops := node.values.get("drops", "0")) != "0":
        figures.append(f"{drops} dropped")
    if node.level:
        figures.append(f"{WORDS[node.level]}: {node.message}")
    return " ".join(figures) or node.message
