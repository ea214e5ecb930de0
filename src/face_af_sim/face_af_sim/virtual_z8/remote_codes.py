"""Operations of the simulator's remote grip.

They are the simulator's own invention, not those of Nikon's MC-N10, and match ``config/remote/virtual_z8.yaml``.
"""

ATTACH = 0x9F01
"""p1: 1 attach the grip, 0 detach it."""

HEARTBEAT = 0x9F02

BUTTON = 0x9F03
"""p1: the button (1 left, 2 right, 3 up, 4 down, 5 Fn1, 6 Fn2, 8 shutter); p2: 1 down, 0 up."""

SHUTTER = 8
"""p1 of :data:`BUTTON`: one image each time it goes down, none while it stays there."""
