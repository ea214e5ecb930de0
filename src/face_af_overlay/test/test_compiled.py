"""Compiled code is made anew when a file changes that it only calls into."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from face_af_overlay import compiled

OUTER = "from .compiled import compiled\nfrom .inner import inner\n\n@compiled\ndef outer():\n    return inner() + 1\n"


def test_a_change_in_another_file_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "looped"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(str(compiled.__file__), package)
    (package / "outer.py").write_text(OUTER)
    said = []
    for value in (1, 20):
        (package / "inner.py").write_text(
            f"from .compiled import compiled\n\n@compiled\ndef inner():\n    return {value}\n"
        )
        # where ROS' own Python runs the tests, it is face_af_common that makes Numba importable
        command = [sys.executable, "-c", "import face_af_common, looped.outer as o; print(o.outer(), end='')"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110.0)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
        assert list(package.rglob("*.nbi"))
    assert said == ["2", "21"]
