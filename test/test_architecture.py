"""Who may import whom. Imports inside functions and for types count too: a hidden circle is one."""

from __future__ import annotations

import ast
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
PACKAGES = sorted(path.parent.name for path in SRC.glob("*/setup.py"))
LIBRARIES = {"face_af_msgs", "face_af_common", "face_af_gallery", "face_af_inference"}
OFFLINE = {"face_af_crops", "face_af_recording", "face_af_people", "face_af_sim"}
"""Packages that may use the logic of the nodes that they work with."""

ALLOWED = {
    **dict.fromkeys(PACKAGES, LIBRARIES),
    "face_af_common": {"face_af_msgs"},
    "face_af_gallery": {"face_af_common"},
    "face_af_inference": {"face_af_common"},
    "face_af": {"face_af_common", "face_af_msgs"},
    "face_af_people": LIBRARIES | {"face_af_perception", "face_af_speaker"},
    "face_af_crops": LIBRARIES | {"face_af_people", "face_af_perception"},
    "face_af_recording": LIBRARIES | {"face_af_overlay", "face_af_perception", "face_af_speaker", "face_af_steering"},
    "face_af_sim": LIBRARIES
    | {"face_af_people", "face_af_perception", "face_af_recording", "face_af_view", "nikon_mcn10_driver"},
}


def modules(package: str) -> dict[str, Path]:
    folder = SRC / package
    found = {}
    for path in (folder / package).rglob("*.py"):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = {name: path for package in PACKAGES for name, path in modules(package).items()}


def imported(module: str) -> Iterator[str]:
    """What ``module`` names in its imports, wherever they stand, those for type checking included."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def edges() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        yield from ((module, other) for other in imported(module) if other in MODULES and other != module)


EDGES = sorted(set(edges()))


def test_no_circle_of_modules() -> None:
    graph: dict[str, set[str]] = {}
    for module, other in EDGES:
        # a package's __init__ re-exports its modules; that these are imported through it is no circle
        if not module.startswith(f"{other}."):
            graph.setdefault(module, set()).add(other)
    graphlib.TopologicalSorter(graph).prepare()


def test_no_circle_of_packages() -> None:
    graph: dict[str, set[str]] = {}
    for module, other in EDGES:
        graph.setdefault(module.split(".")[0], set()).add(other.split(".")[0])
    graphlib.TopologicalSorter({name: others - {name} for name, others in graph.items()}).prepare()


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_keep_to_their_layer(package: str) -> None:
    strangers = {
        f"{module} imports {other}"
        for module, other in EDGES
        if module.split(".")[0] == package and other.split(".")[0] not in ALLOWED[package] | {package}
    }
    assert not strangers


def test_offline_tools_use_logic_and_never_nodes() -> None:
    nodes = [(m, o) for m, o in EDGES if o.endswith((".node", "_node")) and m.split(".")[0] in OFFLINE]
    assert [(m, o) for m, o in nodes if m.split(".")[0] != o.split(".")[0]] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_package_xml_names_what_is_imported(package: str) -> None:
    needed = {o.split(".")[0] for m, o in EDGES if m.split(".")[0] == package} - {package}
    declared = set(re.findall(r"<(?:exec_)?depend>(\w+)<", (SRC / package / "package.xml").read_text()))
    assert needed <= declared


PURE = {
    "face_af_crops",
    "face_af_gallery",
    "face_af_people",
    "face_af_perception",
    "face_af_overlay",
    "face_af_steering",
    "face_af_inference",
    "face_af_speaker",
}


@pytest.mark.parametrize("module", sorted(m for m in MODULES if m.split(".")[0] in PURE))
def test_logic_knows_no_ros(module: str) -> None:
    if module.endswith((".node", "_node")):
        pytest.skip("a node")
    ros = [name for name in imported(module) if name.split(".")[0] in ("rclpy", "face_af_msgs", "sensor_msgs")]
    assert not ros


def test_every_command_has_the_common_frame_around_it() -> None:
    """Quiet on Ctrl-C, one line for the machine's faults: :mod:`face_af_common.tools`, for nodes ``executables``."""
    for package in PACKAGES:
        text = (SRC / package / "setup.py").read_text(encoding="utf-8")
        for name, module in re.findall(r"[\"'](\w+) = ([\w.{}]+):\w+[\"']", text):
            assert module in ("face_af_common.tools", "face_af_common.executables", "face_af_common.container"), name
