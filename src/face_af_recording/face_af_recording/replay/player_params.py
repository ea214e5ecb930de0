"""Parameters of the player."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import param


@dataclass(frozen=True)
class PlayerParams:
    bag: str = param("", "rosbag2 folder, .mcap or .db3 file, or a video", read_only=True)
    topic: str = param("", "topic of the frames, where the bag has several", read_only=True)
    recompute: str = param(
        "perception,overlay,steering",
        "whose answers are computed anew, separated by commas, or none; the rest is played as recorded (speaker:"
        " computed by the player)",
        read_only=True,
    )
    nodes: bool = param(
        True,
        "the nodes to recompute run beside the player; false: the player computes their answers itself, as fast as it "
        "can, and rate has no meaning",
        read_only=True,
    )
    params_file: str = param("", "without nodes: YAML with parameters that win over the recorded ones", read_only=True)
    rate: float = param(
        1.0,
        "speed, 1 = as recorded; 0 = lockstep: the next frame is sent when every answer to the last one has come",
        low=0.0,
        high=20.0,
    )
    loop: bool = param(False, "start again at the end (the clock jumps back)")
    report: str = param("", "file for the figures (JSON), written at the end", read_only=True)
    results: str = param("", "file for every frame's results, one line of JSON each", read_only=True)
    start_timeout: float = param(
        180.0, "how long the nodes may take to answer the first frame", unit="s", low=1.0, high=3600.0
    )
    answer_timeout: float = param(
        10.0,
        "lockstep: how long an answer is waited for before the frame is given up and counted",
        unit="s",
        low=0.1,
        high=600.0,
    )
