"""From recordings of an invented grip to buttons that were tried: every step as a process, against the virtual Z8.

The grip's codes are invented, the virtual camera hears only them, and the effect is read in the stage's frames.
"""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from processes import Started, needs_samples, started

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from learn_sim import sniffers
from learn_sim.evening import record
from learn_sim.grips import invent

from nikon_mcn10_driver.profile_format import load_profile

pytestmark = [needs_samples, pytest.mark.timeout(280)]

BUTTONS = ["left", "right"]
SEED = 3
"""A grip with a challenge before every press: family Challenges would not work with a profile of constants."""


def ros2(run: Started | None, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    environment = None
    if run is not None:
        pairs = Path(f"/proc/{run.process.pid}/environ").read_bytes().split(b"\0")
        environment = dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)
    return subprocess.run(
        ["ros2", *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def learned_profile(folder: Path) -> Path:
    """A profile learned from recordings as files, without the serial number of the recorded camera."""
    options = []
    for name, log in record(invent(SEED), SEED, BUTTONS).items():
        path = folder / f"{name}.pcapng"
        path.write_bytes(sniffers.pcapng(sniffers.WireTap(random.Random(SEED)).packets(log), 295))
        options += [f"--{name}", str(path)]
    mine, shared = folder / "mine.yaml", folder / "shared.yaml"
    done = ros2(None, "run", "nikon_mcn10_driver", "learn_profile", *options, "-o", str(mine))
    assert done.returncode == 0, done.stdout + done.stderr
    done = ros2(None, "run", "nikon_mcn10_driver", "profiles", "share", str(mine), "-o", str(shared))
    assert done.returncode == 0, done.stdout + done.stderr
    return shared


def node(package: str, name: str, **parameters: object) -> list[str]:
    values = [argument for key, value in parameters.items() for argument in ("-p", f"{key}:={value}")]
    return ["ros2", "run", package, name, "--ros-args", "-r", "__ns:=/face_af", *values]


def test_a_learned_grip_is_tried_on_the_virtual_camera(tmp_path: Path) -> None:
    profile, port = learned_profile(tmp_path), free_port()
    stage = node(
        "face_af_sim", "stage", ptpip_port=port, grip=profile, width=1280, height=720, rate=20.0, wait_s=1.0,
        **{"camera.loss": 0.0, "camera.jumps": 0.0, "camera.misses": 0.0, "camera.response_jitter_ms": 10.0},
    )  # fmt: skip
    with started(stage, tmp_path / "stage.log") as run:
        domain = re.findall(rb"ROS_DOMAIN_ID=(\d+)", Path(f"/proc/{run.process.pid}/environ").read_bytes())[0].decode()
        overlay = node("face_af_overlay", "overlay")
        driver = node("nikon_mcn10_driver", "nikon_mcn10", transport="ptpip", port=port, profile=profile)
        with (
            started(overlay, tmp_path / "overlay.log", ROS_DOMAIN_ID=domain),
            started(driver, tmp_path / "driver.log", ROS_DOMAIN_ID=domain) as driving,
        ):
            assert driving.wait_for("connected to Z 8", 60), driving.output() + run.output()
            done = ros2(
                run, "run", "nikon_mcn10_driver", "learn_profile", "--try", str(profile), "--presses", "8",
                "--buttons", *BUTTONS,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr + driving.output()
            status = ros2(run, "topic", "echo", "--once", "/face_af/camera_status").stdout
    measured = load_profile(str(profile), tmp_path).measured
    assert measured.response is not None and 0.1 < measured.response < 0.8
    assert measured.presses >= 4 and measured.wrap is not True
    assert f"measured_presses: {measured.presses}" in status
