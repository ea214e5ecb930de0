"""From recordings of an invented grip to buttons that were tried: every step as a process, against the virtual Z8.

The grip's codes are invented, the virtual camera hears only them, and the effect is read in the stage's frames.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
from processes import needs_samples, started

from face_af_common.ros_domain import claim_domain, release_domain

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from learn_sim import sniffers
from learn_sim.evening import record
from learn_sim.grips import invent

from nikon_mcn10_driver.profile_format import load_profile

pytestmark = [needs_samples, pytest.mark.timeout(560)]

BUTTONS = ["left", "right"]
SEED = 3
"""A grip that writes a property of the camera for each button and has two heartbeats."""


def ros2(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ros2", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def domain() -> Iterator[str]:
    claimed = claim_domain()
    yield str(claimed)
    release_domain(claimed)


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
    done = ros2("run", "nikon_mcn10_driver", "learn_profile", *options, "-o", str(mine))
    assert done.returncode == 0, done.stdout + done.stderr
    done = ros2("run", "nikon_mcn10_driver", "profiles", "share", str(mine), "-o", str(shared))
    assert done.returncode == 0, done.stdout + done.stderr
    return shared


def node(package: str, name: str, **parameters: object) -> list[str]:
    values = [argument for key, value in parameters.items() for argument in ("-p", f"{key}:={value}")]
    return ["ros2", "run", package, name, "--ros-args", "-r", "__ns:=/face_af", *values]


def test_a_learned_grip_is_tried_on_the_virtual_camera(tmp_path: Path, domain: str) -> None:
    profile, port = learned_profile(tmp_path), free_port()
    stage = node(
        "face_af_sim", "stage", ptpip_port=port, grip=profile, width=1280, height=720, rate=20.0, wait_s=1.0,
        **{"camera.loss": 0.0, "camera.jumps": 0.0, "camera.misses": 0.0, "camera.response_jitter_ms": 10.0},
    )  # fmt: skip
    overlay = node("face_af_overlay", "overlay")
    driver = node("nikon_mcn10_driver", "nikon_mcn10", transport="ptpip", port=port, profile=profile)
    with (
        started(stage, tmp_path / "stage.log", ROS_DOMAIN_ID=domain) as run,
        started(overlay, tmp_path / "overlay.log", ROS_DOMAIN_ID=domain),
        started(driver, tmp_path / "driver.log", ROS_DOMAIN_ID=domain) as driving,
    ):
        assert driving.wait_for("connected to Z 8", 120), driving.output() + run.output()
        assert "boxes" in processes.ros2(driving, "topic", "echo", "--no-daemon", "--once", "/face_af/af_overlay")
        tried = ["--try", str(profile), "--presses", "8", "--buttons", *BUTTONS]
        done = ros2("run", "nikon_mcn10_driver", "learn_profile", *tried, ROS_DOMAIN_ID=domain)
        assert done.returncode == 0, done.stdout + done.stderr + driving.output()
        status = processes.ros2(driving, "topic", "echo", "--no-daemon", "--once", "/face_af/camera_status")
    measured = load_profile(str(profile), tmp_path).measured
    assert measured.response is not None and 0.1 < measured.response < 0.8
    assert measured.presses >= 4 and measured.wrap is not True
    assert f"measured_presses: {measured.presses}" in status
