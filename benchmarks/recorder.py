"""What recording costs: a camera's publisher, the real recorder node, the processor time of both, and their bag.

The camera's node makes the JPEGs only because a recorder runs, so their time counts as the recording's.

./run bench recorder --seconds 20
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from face_af_common.files import write_json
from face_af_common.images import BGR

TOPIC = "face_af/image_raw"


def still(width: int, height: int, seed: int = 1) -> BGR:
    """A dark hall with lit, slightly noisy things in it, about as hard to compress as a picture of a stage."""
    import cv2

    noise = np.random.default_rng(seed)
    picture = cv2.resize(noise.integers(0, 90, (9, 16, 3), np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        x, y = int(noise.integers(width)), int(noise.integers(height))
        colour = [int(value) for value in noise.integers(30, 255, 3)]
        cv2.ellipse(picture, (x, y), (width // 30, height // 12), 0, 0, 360, colour, -1)
    grain = noise.integers(0, 7, picture.shape, np.uint8)
    return np.asarray(cv2.add(picture, grain), np.uint8)


def publish(width: int, height: int, rate: float, seconds: float, quality: int) -> dict[str, float]:
    """Sends pictures and results; returns how many pictures, and the seconds of processor time for their JPEGs."""
    import rclpy
    from std_msgs.msg import Header

    from face_af_common import qos
    from face_af_common.frames import FramePublisher
    from face_af_common.stamps import from_ns
    from face_af_msgs.msg import AfBox, AfOverlay, Face, FaceArray, SteeringState

    rclpy.init(args=[])
    node = rclpy.create_node("camera", namespace="face_af")
    publisher = FramePublisher(node, quality=quality)
    results = [
        (node.create_publisher(type(message), name, qos.RESULT), message)
        for name, message in (
            ("faces", FaceArray(faces=[Face() for _ in range(5)])),
            ("af_overlay", AfOverlay(boxes=[AfBox() for _ in range(5)])),
            ("state", SteeringState(reason="on target")),
        )
    ]
    ready = time.monotonic() + 30.0
    while not publisher.watched and time.monotonic() < ready:
        time.sleep(0.05)
    time.sleep(1.0)
    stills = [still(width, height, seed) for seed in (1, 2)]
    print("started", flush=True)
    start, count, spent = time.monotonic(), round(seconds * rate), 0.0
    for number in range(count):
        header = Header(stamp=from_ns(1_000_000_000 + number * 1_000_000), frame_id="camera")
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
        begun = time.thread_time()
        publisher.publish(stills[number % 2], header)  # nobody subscribes to the raw frames
        spent += time.thread_time() - begun
        for result, message in results:
            message.header = header
            result.publish(message)
    time.sleep(1.0)
    rclpy.shutdown()
    return {"sent": count, "jpeg_s": spent}


def measure(options: argparse.Namespace, bag: Path) -> dict[str, float | int]:
    """Runs publisher and recorder as processes of their own and returns the figures."""
    from ament_index_python.packages import get_package_prefix

    from face_af_common.ros_domain import claim_domain

    os.environ["ROS_DOMAIN_ID"] = str(claim_domain())
    node = Path(get_package_prefix("face_af_recording")) / "lib/face_af_recording/recorder"
    parameters = [f"folder:={bag}", "min_free_mb:=0"]
    recorder = subprocess.Popen(
        [node, "--ros-args", "-r", "__ns:=/face_af", *(part for text in parameters for part in ("-p", text))],
        stderr=subprocess.DEVNULL if not options.verbose else None,
    )
    try:
        watched = psutil.Process(recorder.pid)
        sender = subprocess.Popen(
            [sys.executable, __file__, "--publish", *(f"--{name}={getattr(options, name)}" for name in
             ("width", "height", "rate", "seconds", "quality"))],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert sender.stdout is not None
        sender.stdout.readline()  # start-up is not recording
        begun, before = time.monotonic(), watched.cpu_times()
        time.sleep(options.seconds)
        after, spent = watched.cpu_times(), time.monotonic() - begun
        sender_says = json.loads(sender.communicate()[0])
        memory = watched.memory_info().rss / 1e6
    finally:
        recorder.terminate()
        recorder.wait()
    size = sum(file.stat().st_size for file in bag.glob("*.mcap"))
    node_s = after.user - before.user + after.system - before.system
    jpeg_s = sender_says["jpeg_s"]
    return {
        "core_percent": round(100 * (jpeg_s / options.seconds + node_s / spent), 1),
        "jpeg_percent": round(100 * jpeg_s / options.seconds, 1),
        "recorder_percent": round(100 * node_s / spent, 1),
        "sent": sender_says["sent"],
        **recorded(bag),
        "mb_per_second": round(size / 1e6 / options.seconds, 1),
        "memory_mb": round(memory, 1),
    }


def recorded(bag: Path) -> dict[str, int]:
    """How many different pictures and results are in a bag."""
    from rosbags.highlevel import AnyReader

    with AnyReader([bag]) as reader:
        pictures = [c for c in reader.connections if c.topic == f"/{TOPIC}/compressed"]
        states = [c for c in reader.connections if c.topic == "/face_af/state"]
        return {
            name: len({bytes(raw[4:12]) for _, _, raw in reader.messages(connections=connections)})
            for name, connections in (("recorded", pictures), ("states", states))
        }


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="recorder", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (20)")
    parser.add_argument("--rate", type=float, default=30.0, help="pictures a second (30)")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--quality", type=int, default=85, help="of the JPEGs (85)")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    parser.add_argument("--verbose", action="store_true", help="show what the recorder says")
    parser.add_argument("--publish", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.publish:
        print(json.dumps(publish(options.width, options.height, options.rate, options.seconds, options.quality)))
        return 0
    with tempfile.TemporaryDirectory(prefix="face_af_recorder_") as folder:
        figures = measure(options, Path(folder) / "bag")
    for name, value in figures.items():
        print(f"{name:16} {value}")
    if options.report:
        write_json(options.report, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
