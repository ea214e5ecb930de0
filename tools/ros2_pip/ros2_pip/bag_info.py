"""``ros2 bag info``, written as the real one writes it."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

import yaml

from .bag_files import open_bag


def info(args: argparse.Namespace) -> None:
    folder = Path(args.bag_path)
    with open_bag(args.bag_path) as reader:
        files = [path for path in sorted(folder.glob("*")) if path.suffix in (".mcap", ".db3")]
        empty = not reader.message_count
        duration = 0 if empty else reader.duration
        rows = [
            ("Files", f"\n{'':19}".join(path.name for path in files) or folder.name),
            ("Bag size", size_text(sum(path.stat().st_size for path in files))),
            ("Storage id", "sqlite3" if any(path.suffix == ".db3" for path in files) else "mcap"),
            ("ROS Distro", _distro(folder)),
            ("Duration", f"{duration // 10**9}.{duration % 10**9:09d}s"),
            ("Start", _time_text(0 if empty else reader.start_time)),
            ("End", _time_text(0 if empty else reader.start_time + duration)),
            ("Messages", str(reader.message_count)),
        ]
        print()
        for label, text in rows:
            print(f"{label + ':':<19}{text}")
        topics = [
            f"Topic: {c.topic} | Type: {c.msgtype} | Count: {c.msgcount} | "
            f"Serialization Format: {getattr(c.ext, 'serialization_format', 'cdr')}"
            for c in sorted(reader.connections, key=lambda c: c.topic)
        ]
        # services are not recorded here
        print(f"Topic information: {chr(10).join(topics).replace(chr(10), chr(10) + ' ' * 19)}")
        print("Service:           0\nService information: ")


def _distro(folder: Path) -> str:
    """The distribution that has written the bag, as its metadata says."""
    try:
        metadata = yaml.safe_load((folder / "metadata.yaml").read_text("utf-8"))["rosbag2_bagfile_information"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return "unknown"
    return str(metadata.get("ros_distro") or "unknown")


def size_text(size: float) -> str:
    """Bytes as ``512 B`` or ``1.5 MiB``."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    index = 0
    while size >= 1024 and index < len(units) - 1:
        size /= 1024
        index += 1
    return f"{size:.{1 if index else 0}f} {units[index]}"


def _time_text(stamp: int) -> str:
    seconds, rest = divmod(stamp, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds):%b %e %Y %H:%M:%S}.{rest:09d} ({seconds}.{rest:09d})"
