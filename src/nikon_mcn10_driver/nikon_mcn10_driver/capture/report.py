"""What was learned and what was not, for a person: as text and as a page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from ..profile_fields import show_field
from ..ptp import name_of
from .observed import ObservedStep, value_at
from .outcome import Learned
from .proof import Proof

_SHOWN_PACKETS = 6


@dataclass
class Table:
    """A heading and rows of equally many texts; the first row names the columns."""

    title: str
    rows: list[tuple[str, ...]]


def tables(learned: Learned, proof: Proof | None) -> list[Table]:
    """The report's contents, the most important first."""
    found = [Table("Not learned, and why", [("reason",), *((text,) for text in learned.refusals)])]
    if proof is not None:
        rows: list[tuple[str, ...]] = [
            ("section", "messages compared"),
            *((name, f"{n}") for name, n in sorted(proof.checked.items())),
        ]
        found.append(Table("Played against the recordings: " + ("the same bytes" if proof.passed else "differs"), rows))
        found.append(Table("Where the driver differs from the grip", [("difference",), *((f,) for f in proof.faults)]))
    found.append(Table("Uncertain, or worth knowing", [("note",), *((text,) for text in learned.notes)]))
    steps: list[tuple[str, ...]] = [("step", "operation", "seen", "what changes in it", "packets")]
    steps += [_row(step) for step in learned.steps]
    found.append(Table("Steps, and the packets they rest on", steps))
    beats: list[tuple[str, ...]] = [("heartbeat", "period", "rest before it", "operations")]
    for i, beat in enumerate(learned.beats, 1):
        operations = ", ".join(f"0x{kind.shape[0]:04X}" for kind in beat.kinds)
        beats.append((f"{i}", f"{beat.period:.3f} s", f"{beat.rest:.3f} s", operations))
    found.append(Table("Heartbeats", beats))
    presses: list[tuple[str, ...]] = [("button", "presses", "alike", "shortest hold", "repeated while held")]
    for name, pattern in learned.patterns.items():
        again = f"every {pattern.repeats:.2f} s" if pattern.repeats else "no"
        presses.append((name, f"{len(pattern.presses)}", f"{pattern.agreeing}", f"{pattern.hold:.3f} s", again))
    found.append(Table("Buttons", presses))
    runs: list[tuple[str, ...]] = [("recording", "button", "operations", "lost", "begins with the start-up")]
    runs += [
        (run.source, run.kind, f"{len(run.transactions)}", f"{run.lost}", "yes" if run.started else "no")
        for run in learned.runs
    ]
    found.append(Table("Recordings", runs))
    return [table for table in found if len(table.rows) > 1]


def _row(step: ObservedStep) -> tuple[str, ...]:
    changes = []
    for position, part in sorted(step.fields.items()):
        place = f"parameter {position}" if position < 100 else f"byte {position - 100}"
        words = ", ".join(f"{key} {_number(key, value)}" for key, value in show_field(part).items())
        values = [value_at(seen.transaction, position) for seen in step.seen[:4]]
        changes.append(f"{place}: {words} (seen: {', '.join(f'0x{v:X}' for v in values)} …)")
    left = step.unexplained()
    if left:
        changes.append("unexplained: " + ", ".join(f"parameter {p}" if p < 100 else f"byte {p - 100}" for p in left))
    numbers = [f"{seen.transaction.number}" for seen in step.seen[:_SHOWN_PACKETS]]
    more = " …" if len(step.seen) > _SHOWN_PACKETS else ""
    return step.label, name_of(step.shape[0]), f"{len(step.seen)}", "; ".join(changes), ", ".join(numbers) + more


def _number(key: str, value: object) -> str:
    return f"0x{value:X}" if key in ("echo", "xor") and isinstance(value, int) else f"{value}"


def as_text(found: Sequence[Table]) -> str:
    """Plain text, one block a table."""
    blocks = []
    for table in found:
        lines = [table.title, "-" * len(table.title)]
        if len(table.rows[0]) == 1:
            lines += [f"* {row[0]}" for row in table.rows[1:]]
        else:
            widths = [min(48, max(len(row[i]) for row in table.rows)) for i in range(len(table.rows[0]))]
            lines += ["  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in table.rows]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


_STYLE = """body{font:15px system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}
td:nth-child(4){font-family:monospace;font-size:13px}"""


def as_html(found: Sequence[Table], title: str) -> str:
    """A page that stands alone."""
    parts = [f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{_STYLE}</style>"]
    parts.append(f"<h1>{html.escape(title)}</h1>")
    for table in found:
        parts.append(f"<h2>{html.escape(table.title)}</h2><table>")
        for i, row in enumerate(table.rows):
            cell = "th" if i == 0 else "td"
            parts.append("<tr>" + "".join(f"<{cell}>{html.escape(text)}</{cell}>" for text in row) + "</tr>")
        parts.append("</table>")
    return "\n".join(parts) + "\n"
