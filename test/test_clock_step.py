"""The clock of the machine is set back while the graph runs: frames go on as if nothing had been."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from processes import started
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from face_af_common import qos
from face_af_common.images import from_bgr
from face_af_common.ros_domain import claim_domain, release_domain
from face_af_common.stamps import from_ns, to_ns
from face_af_msgs.msg import SteeringState

pytestmark = pytest.mark.timeout(120)

STEP_NS = 30 * 60 * 1_000_000_000
FRAME = np.full((180, 320, 3), 128, np.uint8)


def test_a_clock_that_steps_back_half_an_hour_does_not_hold_the_graph_up(tmp_path: Path) -> None:
    domain, context = claim_domain(), Context()
    command = ["ros2", "launch", "face_af", "bringup.launch.py", "source:=none", "transport:=dry_run", "debug:=false"]
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("camera", context=context, namespace="face_af")
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    answered: list[int] = []
    node.create_subscription(SteeringState, "state", lambda m: answered.append(to_ns(m.header.stamp)), qos.RESULT)
    frames = node.create_publisher(Image, "image_raw", qos.IMAGE)

    def show(until: float, offset_ns: int) -> list[int]:
        """Frames ten times a second up to that monotonic time; which stamps of them were answered."""
        shown = set()
        while time.monotonic() < until:
            stamp = time.time_ns() + offset_ns
            shown.add(stamp)
            frames.publish(from_bgr(FRAME, Header(stamp=from_ns(stamp), frame_id="camera")))
            turn = time.monotonic() + 0.1
            while (left := turn - time.monotonic()) > 0:
                executor.spin_once(left)
        return [stamp for stamp in answered if stamp in shown]

    try:
        with started(command, tmp_path / "log", ROS_DOMAIN_ID=str(domain)) as run:
            patience = time.monotonic() + 60
            while not answered:
                assert time.monotonic() < patience, run.output()
                show(time.monotonic() + 0.5, 0)
            before = show(time.monotonic() + 3.0, 0)
            after = show(time.monotonic() + 3.0, -STEP_NS)
            # while its readers live: Fast DDS has hung in the end of a publisher whose reader had just been ended
            executor.shutdown()
            node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
        release_domain(domain)
    assert before
    assert len(after) > 0.7 * len(before), (len(before), len(after))
    assert after == sorted(after)
