"""Tuning: grids, ranking, resuming, and one clear line for what cannot be tuned."""

from __future__ import annotations

from pathlib import Path

import bags
import pytest
import yaml

from face_af_common.node_params import NODES
from face_af_common.param_files import check_file
from face_af_common.params import ParamError
from face_af_recording.tune import trials
from face_af_recording.tune.cli import main
from face_af_recording.tune.grid import combinations, flat, parse_axis
from face_af_recording.tune.objective import objective


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bags.write_bag(tmp_path_factory.mktemp("bags") / "show", 12)


def test_axes() -> None:
    assert parse_axis("overlay.min_confidence=0.1:0.3:0.1").values == (0.1, 0.2, 0.3)
    assert parse_axis("confirm_frames=1:5:2").values == (1, 3, 5)
    assert parse_axis("steering.wrap=yes,no").values == ("yes", "no")
    axis = parse_axis("recognition.enter=0.3,0.4")
    assert (axis.node, axis.parameter, axis.values) == ("perception", "recognition.enter", (0.3, 0.4))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("confirm_framez=1:2:1", "did you mean steering.confirm_frames"),
        ("steering.nothing=1:2:1", "steering has no parameter nothing"),
        ("confirm_frames", "write NAME=from:to:step"),
        ("confirm_frames=1:2", "three numbers"),
        ("confirm_frames=5:1:1", "must be above 0"),
        ("confirm_frames=1:3:0", "must be above 0"),
        ("confirm_frames=0,1", "outside"),
        ("confirm_frames=1.5,2", "whole number"),
        ("steering.mode=press:area:1", "three numbers"),
    ],
)
def test_wrong_axes(text: str, expected: str) -> None:
    with pytest.raises(ParamError, match=expected):
        parse_axis(text)


def test_grid_and_samples() -> None:
    axes = [parse_axis("confirm_frames=1:3:1"), parse_axis("overlay.min_confidence=0.1,0.5")]
    assert len(combinations(axes)) == 6
    sampled = combinations(axes, samples=3, seed=4)
    assert len(sampled) == 3 and sampled == combinations(axes, samples=3, seed=4)
    assert flat(sampled[0]).keys() == {"steering.confirm_frames", "overlay.min_confidence"}


@pytest.mark.parametrize("option", ["--jobs", "--samples"])
def test_counts_start_at_one(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--param", "confirm_frames=1:3:1", option, "0"])
    assert "a whole number from 1 on is needed, got '0'" in capsys.readouterr().err


def test_objective() -> None:
    figures = {"presses": 3, "on_target": None}
    assert objective(figures, "-presses") == -3
    assert objective(figures, "on_target") == float("-inf")
    with pytest.raises(ParamError, match="no such figure"):
        objective(figures, "beauty")


def test_two_parameters_table_yaml_plot_and_resume(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(bag), "--param", "confirm_frames=1,4", "--param", "overlay.min_confidence=0.35,0.95",
                 "--out", str(tmp_path), "--by", "quality"]  # fmt: skip
    assert main(arguments) == 0
    output = capsys.readouterr().out
    assert "steering.confirm_frames" in output and "best.yaml" in output
    best = tmp_path / "best.yaml"
    check_file(best, NODES)
    assert yaml.safe_load(best.read_text())["/**/overlay"]["ros__parameters"]["min_confidence"] == 0.35
    assert (tmp_path / "tune.png").stat().st_size > 3000
    assert len((tmp_path / "trials.jsonl").read_text().splitlines()) == 4

    def never(*_: object) -> None:
        raise AssertionError("this trial is done already")

    monkeypatch.setattr(trials.Runner, "__call__", never)
    with (tmp_path / "trials.jsonl").open("a") as file:
        file.write('{"key": "half a li')
    assert main(arguments) == 0
    assert capsys.readouterr().out == output


def test_jobs_give_the_same_result(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = []
    for jobs in ("1", "2"):
        assert main([str(bag), "--param", "confirm_frames=1:3:1", "--jobs", jobs, "--out", str(tmp_path / jobs)]) == 0
        tables.append(capsys.readouterr().out.splitlines()[:-1])
    assert tables[0] == tables[1]


def test_what_cannot_be_tuned(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        ("--param", "unknown=1,2"): "there is no parameter unknown",
        ("--param", "capture.rate=1:2:1"): "",
        ("--param", "confirm_frames=1,2", "--param", "confirm_frames=3"): "given twice",
        ("--param", "confirm_frames=1,2", "--by", "beauty"): "no such figure",
        ("--param", "steering.give_up_max_s=1:2:1", "--param", "steering.give_up_s=5,6"): "no combination is valid",
    }
    for options, expected in cases.items():
        assert main([str(bag), *options, "--out", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert expected in error and len(error.strip().splitlines()) == 1, error
