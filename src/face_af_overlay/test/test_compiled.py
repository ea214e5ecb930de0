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
        command = [sys.executable, "-c", "from looped.outer import outer; print(outer(), end='')"]
        said.append(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110.0).stdout)
        assert list(package.rglob("*.nbi"))
    assert said == ["2", "21"]
