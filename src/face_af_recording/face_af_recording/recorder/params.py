"""Parameters of the recorder."""

from __future__ import annotations

from dataclasses import dataclass

from face_af_common.params import param


@dataclass(frozen=True)
class RecorderParams:
    folder: str = param(
        "", "folder for the bag; empty: a new one with date and time in the data folder", read_only=True
    )
    if_exists: str = param(
        "number",
        "what to do when the folder holds something: number = record to FOLDER_2 and so on, refuse = do not start",
        choices=("number", "refuse"),
        read_only=True,
    )
    images: bool = param(True, "record the frames too (image_raw/compressed)", read_only=True)
    audio: bool = param(False, "record the sound too (audio, from the speaker node)", read_only=True)
    split_mb: int = param(
        2000, "start the next file at this size; 0 = never", unit="MB", low=0, high=1_000_000, read_only=True
    )
    split_s: float = param(
        600.0, "start the next file after this time; 0 = never", unit="s", low=0.0, high=86400.0, read_only=True
    )
    min_free_mb: int = param(
        1000, "stop recording when less than this is free on the disk", unit="MB", low=0, high=1_000_000, read_only=True
    )
    flush_s: float = param(
        0.5,
        "longest time until what was received is on disk: what a crash may lose",
        unit="s",
        low=0.05,
        high=10.0,
        read_only=True,
    )
    sync: bool = param(
        True, "wait for the disk at every flush, so that a power cut loses no more either", read_only=True
    )
    extra_topics: str = param("", "further topics to record, separated by blanks", read_only=True)
