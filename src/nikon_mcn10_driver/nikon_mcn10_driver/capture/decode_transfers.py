"""``ros2 run nikon_mcn10_driver decode_transfers``: what the USB transfers of a capture say, as PTP.

Reads hexadecimal lines, one bulk or interrupt transfer each, in their order on the wire (``tshark -T fields -e
usb.capdata`` and most sniffers can write them), and prints one line a container. ``--steps`` prints commands as
steps of a remote profile instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence

from ..ptp import Container, ContainerAssembler, ContainerType, FormatError, name_of

_SHOWN = 32
"""Bytes of a data phase that are printed."""


def containers(lines: Iterable[str]) -> Iterator[Container | str]:
    """The containers of hexadecimal lines; a text for a line that is none. Empty lines are left out."""
    assembler = ContainerAssembler()
    for number, line in enumerate(lines, 1):
        text = line.strip().replace(":", "").replace(" ", "")
        if not text:
            continue
        try:
            assembler.feed(bytes.fromhex(text), True)
            while (container := assembler.pop()) is not None:
                yield container
        except ValueError as error:
            assembler.clear()
            reason = error if isinstance(error, FormatError) else "not hexadecimal"
            yield f"line {number}: {reason}"


def describe(container: Container) -> str:
    head = f"{container.type.name.lower():<9} tid {container.transaction_id:<10} {name_of(container.code)}"
    if container.type == ContainerType.DATA:
        more = " ..." if len(container.payload) > _SHOWN else ""
        return f"{head}  {len(container.payload)} bytes: {container.payload[:_SHOWN].hex(' ')}{more}"
    return head + "".join(f"  0x{value:X}" for value in container.params)


def steps(found: Iterable[Container | str]) -> Iterator[str]:
    """Commands as profile steps. Data is kept where it went to the camera, which USB does not say: check it."""
    waiting: Container | None = None
    data = b""
    for item in found:
        if isinstance(item, str):
            continue
        if item.type == ContainerType.COMMAND:
            waiting, data = item, b""
        elif item.type == ContainerType.DATA:
            data = item.payload
        elif item.type == ContainerType.RESPONSE and waiting is not None:
            params = ", ".join(f"0x{value:X}" for value in waiting.params)
            text = f"- {{operation: 0x{waiting.code:04X}" + (f", params: [{params}]" if params else "")
            if data:
                text += f', data: "{data.hex(" ")}"'
            yield f"{text}}}  # answered {name_of(item.code)}"
            waiting = None


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="decode_transfers", description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("file", nargs="?", help="file with hexadecimal lines (default: standard input)")
    parser.add_argument("--steps", action="store_true", help="commands as steps of a remote profile")
    args, _ = parser.parse_known_args(argv)
    try:
        with open(args.file, encoding="utf-8") if args.file else sys.stdin as lines:
            found = containers(lines)
            for text in steps(found) if args.steps else (c if isinstance(c, str) else describe(c) for c in found):
                print(text)
    except (OSError, UnicodeDecodeError) as error:
        print(f"decode_transfers: {args.file}: {error}", file=sys.stderr)
        return 2
    return 0
