"""What the columns of a measurement mean."""

from __future__ import annotations

FEATURES = (
    "agreement",
    "worst_corner",
    "second_corner",
    "strength",
    "visible",
    "between",
    "corner_line",
    "worst_corner_line",
    "run_on",
    "run_on_most",
    "uneven",
    "contrast",
    "thin",
    "arms_differ",
)
"""What the decision is made of, in the order of the first result of :func:`measure`; explained there."""
AGREEMENT, VISIBLE, CORNER_LINE, CONTRAST = (
    FEATURES.index(name) for name in ("agreement", "visible", "corner_line", "contrast")
)
LEFT, TOP, RIGHT, BOTTOM, LINE, LINES, EXTENDED, FILLED, CLOSED, ACROSS, DOWN = range(11)
"""Columns of the second result: the middles of the four lines and their thickness in pixels, how many sides have a line
at all, how many of eight lines run on, the share of the inside that is of the lines' colour, whether the outline is
closed, and how far from its corners it is drawn along level and upright sides, pixels."""
COLOURS, SLOPES, LEVELS, RADIUS, GROUND, COLUMNS = 11, 17, 23, 29, 30, 31
"""The first of six each: what is usually seen on level lines, then on upright ones; their mixtures' ``s``, and
``(1 - s) c``. The corners' radius in pixels, 0 where they are sharp; the
brightness of the ground beside the lines; and how many columns there are."""
