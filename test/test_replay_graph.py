"""replay.launch.py through the ros2 command: the same bytes with nodes, without them and offline; bad input."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from processes import started

from face_af_recording.replay.cli import main as replay_offline

pytestmark = pytest.mark.timeout(240)

LAUNCH = ["ros2", "launch", "face_af", "replay.launch.py"]


def small_bags() -> ModuleType:
    """The bag writer of face_af_recording' own tests."""
    path = Path(__file__).parents[1] / "src/face_af_recording/test/bags.py"
    spec = importlib.util.spec_from_file_location("bags", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bags"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = small_bags().write_bag(tmp_path_factory.mktemp("bags") / "show", 15)
    return folder


def test_lockstep_with_nodes_without_and_offline_give_the_same_bytes(bag: Path, tmp_path: Path) -> None:
    results = []
    for nodes in ("true", "false"):
        report, lines = tmp_path / f"{nodes}.json", tmp_path / f"{nodes}.jsonl"
        arguments = [f"bag:={bag}", "recompute:=overlay,steering", "rate:=0", f"report:={report}", f"results:={lines}"]
        arguments.append(f"nodes:={nodes}")
        with started([*LAUNCH, *arguments], tmp_path / "log") as run:
            assert run.process.wait(100) == 0, run.output()
            assert run.gone(20), run.output()
        results.append((report.read_bytes(), lines.read_bytes()))
    assert results[0] == results[1]
    assert json.loads(results[0][0])["unanswered"] == 0
    offline = tmp_path / "offline.jsonl"
    assert replay_offline([str(bag), "--recompute", "overlay,steering", "--results", str(offline)]) == 0
    assert offline.read_bytes() == results[0][1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bag:=nowhere"], "nowhere does not exist"),
        (["bag:={bag}", "recompute:=magic"], "magic is none of perception, overlay, speaker, steering"),
        (["bag:={bag}", "params_file:=nowhere.yaml"], "cannot be read"),
        (["bag:={bag}", "topic:=/other"], "has no images on /other"),
    ],
)
def test_what_cannot_be_replayed_ends_with_a_clear_line(
    bag: Path, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    with started([*LAUNCH, *(text.format(bag=bag) for text in arguments)], tmp_path / "log") as run:
        assert run.process.wait(60) != 0
        assert expected in run.output()
        assert "Traceback" not in run.output()
        assert run.gone(10)
