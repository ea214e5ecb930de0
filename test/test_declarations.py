"""Every import is declared: in its package's ``package.xml``, or in the one list of wheels."""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tools"))

from system_python import KEYS, OPTIONAL, WHEELS  # noqa: E402

PACKAGES = sorted(path.parent.name for path in TOP.glob("src/*/setup.py"))
KEY_OF = {module: key for key, module in KEYS.items()}
IN_WHEELS = {module.split(".")[0] for module in WHEELS.values()}


def imported(folder: Path) -> set[str]:
    """Top-level names of all absolute imports below ``folder``, late ones too, but for Python's own."""
    found = set()
    for path in folder.resolve().rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names)


def declared(package: str, *tags: str) -> set[str]:
    return {e.text or "" for e in ET.parse(TOP / "src" / package / "package.xml").getroot() if e.tag in tags}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_is_declared(package: str) -> None:
    folder = TOP / "src" / package
    names = imported(folder / package) | imported(folder / "launch")
    names -= {package} | IN_WHEELS | OPTIONAL
    assert {KEY_OF.get(name, name) for name in names} <= declared(package, "exec_depend", "depend")


@pytest.mark.parametrize("package", PACKAGES)
def test_what_its_tests_import_is_declared(package: str) -> None:
    folder = TOP / "src" / package / "test"
    helpers = {path.stem for path in [*folder.glob("*.py"), *TOP.glob("test/*.py"), *(TOP / "benchmarks").iterdir()]}
    names = imported(folder)
    # what a test runs of the benchmarks
    for part in (TOP / "benchmarks" / name for name in names.copy()):
        names |= imported(part) & set(PACKAGES)
    names -= {package} | IN_WHEELS | OPTIONAL | helpers
    assert {KEY_OF.get(name, name) for name in names} <= declared(package, "exec_depend", "depend", "test_depend")


@pytest.mark.parametrize("package", PACKAGES)
def test_colcon_runs_its_tests_with_pytest(package: str) -> None:
    """Without the word ``colcon test`` looks for unittest's, and finds none."""
    folder = TOP / "src" / package
    if any(folder.glob("test/test_*.py")):
        assert 'extras_require={"test": ["pytest"]}' in (folder / "setup.py").read_text("utf-8")


def test_the_list_of_wheels_is_what_is_installed() -> None:
    listed = set()
    for name in ("with_ros.txt", "embedded_models.txt"):
        for line in (TOP / "requirements" / name).read_text().splitlines():
            if line and not line.startswith("#"):
                listed.add(line.split("!")[0].split("=")[0].split("<")[0].split(">")[0].strip())
    assert listed == set(WHEELS)


def test_every_key_has_a_module() -> None:
    for package in PACKAGES:
        keys = {key for key in declared(package, "exec_depend", "test_depend") if key.startswith("python3-")}
        assert keys <= set(KEYS), package
