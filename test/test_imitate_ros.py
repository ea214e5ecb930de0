"""tools/imitate_ros.sh explains itself; the machine that it makes is what ``./run test --oldest`` runs in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "tools/imitate_ros.sh"


NO_SUCH_PYTHON = 77
"""Exit status that CI takes for a reason to go on without."""


def complaint(*arguments: str, status: int = 1, **environment: str) -> str:
    done = subprocess.run(
        [str(SCRIPT), *arguments], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status
    (line,) = done.stderr.splitlines()
    return line


def test_what_it_needs_is_said_in_one_line(tmp_path: Path) -> None:
    assert "jammy|noble DIR" in complaint("focal", str(tmp_path))
    assert "name the folder" in complaint("jammy")
    assert "there is no folder '/no/such'" in complaint("jammy", str(tmp_path), "/no/such")
    nowhere = {"PYENV_ROOT": str(tmp_path), "FACE_AF_PYTHON": "false", "PATH": "/usr/sbin:/usr/bin:/bin"}
    if not any(Path(folder, "python3.10").exists() for folder in ("/usr/bin", "/bin", "/usr/sbin")):
        assert "no CPython 3.10 here" in complaint("jammy", str(tmp_path / "new"), status=NO_SUCH_PYTHON, **nowhere)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert "is not empty and no imitation of mine" in complaint("jammy", str(tmp_path))
    assert (tmp_path / "mine").exists()
