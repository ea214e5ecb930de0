"""People's names, which may be typed, read from folders, or sent by other programs, in one form."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: invisible, and part of names in Persian, Hindi and emoji."""


def canonical_name(name: str) -> str:
    """``name`` in Unicode NFC, without space or joiners around it: equal names are equal texts.

    macOS writes folder names in NFD: two characters for one letter with an accent.
    """
    return unicodedata.normalize("NFC", name).strip().strip(JOINERS).strip()


def short(text: str, length: int = 80) -> str:
    """``text`` on one line, cut where it is longer: what comes from outside is shown, not repeated."""
    line = "".join(c if c.isprintable() else " " for c in text[: 4 * length])
    return line if len(line) <= length and len(text) <= 4 * length else f"{line[: length - 1]}…"
