"""What :mod:`hostile` attacks, and with what."""
