"""``ros2 topic hz``, ``bw`` and ``delay``: what arrives, measured once a second."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from .graph import Graph, absolute, add_graph_arguments, graph
from .main import CommandError
from .messages import load_type
from .topic_qos import matching_qos, wait_for_types


def add_verbs(verbs: Any) -> None:
    for name, text, main, several in (
        ("hz", "measure how often messages come", hz, True),
        ("bw", "measure how many bytes come", bw, False),
        ("delay", "measure how old the header's stamp is when a message comes", delay, False),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("topic_name", nargs="+" if several else None)
        verb.add_argument("-w", "--window", type=int, default=10_000 if several else 100, help="messages to look at")
        if several:
            verb.add_argument("--wall-time", action="store_true", help="taken for granted here")
        add_graph_arguments(verb)
        verb.set_defaults(main=main)


def _watch(
    args: argparse.Namespace, topics: Sequence[str], raw: bool, take: Callable[[str, Any, Graph], Any],
    report: Callable[[dict[str, deque[Any]]], str],
) -> None:  # fmt: skip
    """Keeps ``take(topic, message, graph)`` of every message and prints ``report`` once a second."""
    with graph(args) as g:
        kept: dict[str, deque[Any]] = {}
        for topic in map(absolute, topics):
            if not g.wait_for(partial(_is_seen, g, topic), 2.0):
                print(f"WARNING: topic [{topic}] does not appear to be published yet", file=sys.stderr)
            kind = load_type(wait_for_types(g, topic, None)[0], "msg")
            kept[topic] = deque(maxlen=max(2, args.window + 1))

            def keep(message: Any, topic: str = topic) -> None:
                kept[topic].append(take(topic, message, g))

            g.node.create_subscription(kind, topic, keep, matching_qos(g, topic), raw=raw)
        printed, before = time.monotonic(), ""
        while g.context.ok():
            g.spin_once(0.1)
            if time.monotonic() - printed >= 1.0:
                printed = time.monotonic()
                text = report(kept)
                if text and text != before:
                    print(text)
                before = text


def _is_seen(g: Graph, topic: str) -> bool:
    return topic in dict(g.topics(hidden=True))


def hz(args: argparse.Namespace) -> None:
    def report(kept: dict[str, deque[float]]) -> str:
        measured = {topic: list(times) for topic, times in kept.items() if len(times) > 1}
        if len(kept) == 1:
            return "".join(hz_text(times) for times in measured.values())
        return hz_table(measured)

    _watch(args, args.topic_name, True, lambda *_: time.monotonic(), report)


def _rates(arrivals: Sequence[float]) -> tuple[float, float, float, float, int]:
    """Rate, shortest and longest gap, its standard deviation, and how many there are."""
    gaps = [after - before for before, after in pairwise(arrivals)]
    mean = statistics.fmean(gaps)
    return 1 / mean if mean else 0.0, min(gaps), max(gaps), statistics.pstdev(gaps), len(gaps)


def hz_text(arrivals: Sequence[float]) -> str:
    """Rate and spread of at least two arrival times in seconds, as the real command writes them."""
    rate, low, high, spread, count = _rates(arrivals)
    return f"average rate: {rate:.3f}\n\tmin: {low:.3f}s max: {high:.3f}s std dev: {spread:.5f}s window: {count}"


def hz_table(measured: dict[str, list[float]]) -> str:
    """The same of several topics, a line each."""
    if not measured:
        return ""
    rows = [("topic", "rate", "min_delta", "max_delta", "std_dev", "window")]
    for topic, arrivals in measured.items():
        rate, low, high, spread, count = _rates(arrivals)
        rows.append((topic, f"{rate:.3f}", f"{low:.3f}", f"{high:.3f}", f"{spread:.5f}", str(count)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "=" * max(map(len, lines)), *lines[1:], ""])


def bw(args: argparse.Namespace) -> None:
    def report(kept: dict[str, deque[tuple[float, int]]]) -> str:
        (arrived,) = kept.values()
        return bw_text(list(arrived), time.monotonic()) if len(arrived) > 1 else ""

    print(f"Subscribed to [{absolute(args.topic_name)}]")
    _watch(args, [args.topic_name], True, lambda _, data, __: (time.monotonic(), len(data)), report)


def bw_text(arrived: Sequence[tuple[float, int]], now: float) -> str:
    """Bytes a second and the messages' sizes; ``arrived``: times in seconds and sizes in bytes."""
    sizes = [size for _, size in arrived]
    rate = sum(sizes) / max(now - arrived[0][0], 1e-9)
    unit, divisor = ("B", 1) if rate < 1e3 else ("KB", 1e3) if rate < 1e6 else ("MB", 1e6)

    def text(value: float) -> str:
        return f"{value / divisor:.{0 if divisor == 1 else 2}f} {unit}"

    mean = statistics.fmean(sizes)
    return (
        f"{text(rate)}/s from {len(sizes)} messages\n\tMessage size mean: {text(mean)} "
        f"min: {text(min(sizes))} max: {text(max(sizes))}"
    )


def delay(args: argparse.Namespace) -> None:
    def take(topic: str, message: Any, g: Graph) -> float:
        if not hasattr(message, "header"):
            raise CommandError(f"the messages of {topic} have no header")
        stamp = message.header.stamp
        return float((g.node.get_clock().now().nanoseconds - stamp.sec * 1_000_000_000 - stamp.nanosec) / 1e9)

    def report(kept: dict[str, deque[float]]) -> str:
        (delays,) = kept.values()
        return delay_text(list(delays)) if delays else ""

    _watch(args, [args.topic_name], False, take, report)


def delay_text(delays: Sequence[float]) -> str:
    """Age of the stamps in seconds, as the real command writes it."""
    return (
        f"average delay: {statistics.fmean(delays):.3f}\n\tmin: {min(delays):.3f}s max: {max(delays):.3f}s "
        f"std dev: {statistics.pstdev(delays):.5f}s window: {len(delays)}"
    )
