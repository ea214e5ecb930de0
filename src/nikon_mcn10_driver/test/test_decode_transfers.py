"""A capture's transfers as PTP."""

from __future__ import annotations

from nikon_mcn10_driver.capture.decode_transfers import containers, describe, main, steps
from nikon_mcn10_driver.ptp import Container, ContainerType

COMMAND = Container.of(ContainerType.COMMAND, 0x1016, 5, 0x500F).encode()
DATA = Container(ContainerType.DATA, 0x1016, 5, b"\x20\x03").encode()
RESPONSE = Container.of(ContainerType.RESPONSE, 0x2001, 5).encode()
LINES = [COMMAND.hex(":"), "", DATA.hex() + RESPONSE[:4].hex(), RESPONSE[4:].hex(" "), "what?"]


def test_transfers_are_read_however_they_are_cut():
    found = list(containers(LINES))
    assert [c if isinstance(c, str) else c.type.name for c in found] == [
        "COMMAND",
        "DATA",
        "RESPONSE",
        "line 5: not hexadecimal",
    ]
    assert describe(found[0]) == "command   tid 5          SET_DEVICE_PROP_VALUE (0x1016)  0x500F"
    assert "2 bytes: 20 03" in describe(found[1])


def test_commands_become_steps():
    assert list(steps(containers(LINES))) == [
        '- {operation: 0x1016, params: [0x500F], data: "20 03"}  # answered OK (0x2001)'
    ]


def test_the_command_line(tmp_path, capsys):
    path = tmp_path / "transfers.txt"
    path.write_text("\n".join(LINES))
    assert main([str(path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main([str(tmp_path / "missing")]) == 2
