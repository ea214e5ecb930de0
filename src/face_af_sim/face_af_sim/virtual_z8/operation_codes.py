"""Which operations a body says it knows, by the lists that real ones have sent."""

from __future__ import annotations


def _ranges(*bounds: tuple[int, int]) -> tuple[int, ...]:
    return tuple(code for low, high in bounds for code in range(low, high + 1))


Z9_OPERATIONS = _ranges(
    (0x1001, 0x100F),
    (0x1014, 0x1016),
    (0x101B, 0x101B),
    (0x90C0, 0x90C4),
    (0x90C7, 0x90C9),
    (0x90CB, 0x90CF),
    (0x9201, 0x9207),
    (0x9209, 0x920C),
    (0x920F, 0x920F),
    (0x9400, 0x9406),
    (0x940C, 0x940C),
    (0x9412, 0x941C),
    (0x9420, 0x9426),
    (0x9428, 0x9428),
    (0x942E, 0x942F),
    (0x9431, 0x9436),
    (0x9439, 0x9447),
    (0x9520, 0x9523),
    (0x9527, 0x952A),
    (0x9530, 0x9533),
    (0x9535, 0x9535),
)
"""What a Z9 with firmware 1.11 says it knows (same generation); those that are not built answer 0x2005."""

UNPAIRED_OPERATIONS = (0x1001, 0x1002, 0x1003, 0x935A, 0x9439, 0x9440)
"""What a Z8 says over Wi-Fi to a computer that it is not paired with (libgphoto2's issue 1135)."""
