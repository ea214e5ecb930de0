"""A rosbag2 folder being written: MCAP files split by size and time, ``metadata.yaml`` right at every moment."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from face_af_common import files as files_on_disk

from .mcap_file import McapFile

METADATA_VERSION = 5
"""As written by Humble; every later rosbag2 reads it."""

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # it is written twice a second


class RecordingError(Exception):
    """A bag cannot be written or read; one line that says why and what to do."""


@dataclass(frozen=True)
class TopicInfo:
    """A topic of the bag. ``qos``: rosbag2's YAML text of the offered quality of service."""

    name: str
    type: str
    definition: str = ""
    qos: str = ""


@dataclass
class FileInfo:
    """A finished or growing file of the bag; times in nanoseconds."""

    name: str
    start: int = 0
    end: int = 0
    messages: int = 0


def new_folder(path: Path, number_existing: bool = False) -> Path:
    """Creates the folder for a bag. One that exists and holds something is refused, or the name gets a number."""
    candidate, number = path, 1
    while True:
        try:
            candidate.mkdir(parents=True, exist_ok=True)
            if not any(candidate.iterdir()):
                return candidate
        except (FileExistsError, NotADirectoryError) as error:
            if not number_existing:
                raise RecordingError(f"{candidate} is a file; give a new folder for the recording") from error
        except OSError as error:
            raise RecordingError(f"{candidate} cannot be created ({error.strerror})") from error
        if not number_existing:
            what = "holds a recording" if (candidate / "metadata.yaml").exists() else "is not empty"
            raise RecordingError(f"{candidate} {what} already; nothing is overwritten, give a new folder")
        number += 1
        candidate = path.with_name(f"{path.name}_{number}")


class BagFolder:
    """Writes messages of several topics into one bag. Not thread-safe."""

    def __init__(self, folder: Path, split_bytes: int, split_ns: int, metadata: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._split_bytes = split_bytes
        self._split_ns = split_ns
        self._session = metadata or {}
        self._topics: dict[str, TopicInfo] = {}
        self._counts: dict[str, int] = {}
        self._files: list[FileInfo] = []
        self._file: McapFile | None = None
        self._channels: dict[str, int] = {}
        self._first_time: int | None = None
        self._open_next()

    @property
    def topics(self) -> set[str]:
        return set(self._topics)

    @property
    def messages(self) -> int:
        return sum(info.messages for info in self._files)

    @property
    def files(self) -> int:
        return len(self._files)

    def add_topic(self, topic: TopicInfo) -> None:
        if topic.name not in self._topics:
            self._topics[topic.name] = topic
            self._counts[topic.name] = 0

    def add(self, topic: str, log_time: int, publish_time: int, data: bytes) -> None:
        """One serialized message of a topic given by :meth:`add_topic`; times in nanoseconds."""
        file = self._file
        if file is None:
            raise RecordingError(f"{self.folder} is closed")
        info = self._topics[topic]
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channels[topic] = file.add_channel(info.name, info.type, info.definition, info.qos)
        file.add(channel, log_time, publish_time, data)
        if self._first_time is None:
            self._first_time = log_time
        self._counts[topic] += 1

    def set_session(self, values: dict[str, str]) -> None:
        """Texts (versions, settings) kept as metadata ``face_af`` in this file and in every one that follows."""
        self._session = dict(values)
        if self._file is not None:
            self._file.add_metadata("face_af", self._session)

    def flush(self, sync: bool = False) -> None:
        """Makes permanent what was added; starts the next file when this one is large or long enough."""
        file = self._file
        if file is None:
            return
        file.flush(sync)
        self._note(file)
        now = file.index.end_time
        long = self._first_time is not None and self._split_ns > 0 and now - self._first_time >= self._split_ns
        if long or 0 < self._split_bytes <= file.size:
            file.close()
            self._open_next()
        self._write_metadata()

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            finally:
                self._note(file)
                self._write_metadata()

    def _open_next(self) -> None:
        name = f"{self.folder.name}_{len(self._files)}.mcap"
        try:
            self._file = McapFile(self.folder / name)
        except OSError as error:
            raise RecordingError(f"{self.folder / name} cannot be written ({error.strerror})") from error
        self._channels, self._first_time = {}, None
        self._files.append(FileInfo(name))
        if self._session:
            self._file.add_metadata("face_af", self._session)
        self._write_metadata()

    def _note(self, file: McapFile) -> None:
        info = self._files[-1]
        info.start, info.end, info.messages = file.index.start_time, file.index.end_time, file.index.messages

    def _write_metadata(self) -> None:
        write_metadata(self.folder, list(self._topics.values()), self._counts, self._files)


def write_metadata(folder: Path, topics: list[TopicInfo], counts: dict[str, int], files: list[FileInfo]) -> None:
    """Writes ``metadata.yaml`` in one step: a reader sees the old one or the new one."""
    filled = [info for info in files if info.messages]
    start = min((info.start for info in filled), default=0)
    end = max((info.end for info in filled), default=0)
    content = {
        "rosbag2_bagfile_information": {
            "version": METADATA_VERSION,
            "storage_identifier": "mcap",
            "duration": {"nanoseconds": end - start},
            "starting_time": {"nanoseconds_since_epoch": start},
            "message_count": sum(info.messages for info in files),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.type,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": topic.qos,
                    },
                    "message_count": counts.get(topic.name, 0),
                }
                for topic in topics
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [info.name for info in files],
            "files": [
                {
                    "path": info.name,
                    "starting_time": {"nanoseconds_since_epoch": info.start},
                    "duration": {"nanoseconds": info.end - info.start},
                    "message_count": info.messages,
                }
                for info in files
            ],
        }
    }
    text = yaml.dump(content, Dumper=_DUMPER, sort_keys=False)
    files_on_disk.write_text(folder / "metadata.yaml", text, sync=False)  # twice a second


def free_bytes(folder: Path) -> int:
    """Space left for us on the folder's disk."""
    return shutil.disk_usage(folder).free
