"""``ros2 run face_af_sim virtual_z8``."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest

from face_af_sim.virtual_z8.cli import main
from nikon_mcn10_driver.session import PtpError, Session
from nikon_mcn10_driver.transport.ptpip import PtpIpTransport


def test_it_serves_until_ctrl_c():
    command = [
        sys.executable,
        "-c",
        "import sys; from face_af_sim.virtual_z8.cli import main; sys.exit(main(sys.argv[1:]))",
    ]
    process = subprocess.Popen(
        [*command, "--port", "0", "--fault", "busy:1", "--fault", "error:1:0x2013"], stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        port = int(line.split("127.0.0.1:")[1].split()[0])
        with pytest.raises(PtpError, match="DEVICE_BUSY"):
            Session(PtpIpTransport("127.0.0.1", port)).open()
        with pytest.raises(PtpError, match="STORE_NOT_AVAILABLE"):
            Session(PtpIpTransport("127.0.0.1", port)).open()
        session = Session(PtpIpTransport("127.0.0.1", port))
        assert session.open().model == "Z 8"
        session.close()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert str(port) in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["flood", "busy:many", "busy:1:2:3"])
def test_a_wrong_fault_is_named(fault, capsys):
    with pytest.raises(SystemExit):
        main(["--fault", fault])
    assert f"--fault {fault}" in capsys.readouterr().err
