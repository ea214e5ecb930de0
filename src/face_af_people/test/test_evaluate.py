"""evaluate on made-up people; no weights and no photographs needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from face_af_people import evaluate

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import HUES, run

pytestmark = pytest.mark.usefixtures("fake_models")


def test_evaluate_pairs_and_people(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = people / "pairs.csv"
    rows = ["file_x,file_y,Decision"]
    rows += [f"{n}/0.png,{n}/{i}.png,Yes" for n in list(HUES)[:5] for i in (1, 2, 3)]
    rows += [f"anna/{i}.png,{n}/0.png,No" for n in list(HUES)[1:5] for i in (0, 1)]
    pairs.write_text("\n".join(rows), encoding="utf-8")
    report, plots = tmp_path / "out" / "figures.json", tmp_path / "plots"
    options = ["--pairs", pairs, "--people", people, "--repeats", 3, "--json", report, "--plots", plots]
    assert run(evaluate, *options) == 0
    data = json.loads(report.read_text())
    assert data["verification"]["right_at_threshold"] == 23 and data["verification"]["eer"] == 0
    two = data["open_set"]["enrolled"]["2"]
    assert two["at_far"]["named"] == 1 and two["at_far"]["false_accepts"] == 0 and two["known_trials"] == 30
    assert {path.name for path in plots.iterdir()} == {"roc.png", "scores.png", "open_set.png"}
    out = capsys.readouterr().out
    assert "23 of 23 pairs" in out and "recommended: recognition.enter" in out


def test_people_from_a_csv_file_and_suspect_labels(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["image,identity"]
    rows += [
        f"{name}/{i}.png,{'mixed' if name in ('anna', 'dora') else name}" for name in list(HUES)[:5] for i in range(4)
    ]
    rows += ["bert/gone.png,bert"]
    table = people / "identities.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    assert run(evaluate, "--people", table, "--repeats", 2) == 0
    text = capsys.readouterr()
    assert "mixed: the photos look like 2 people" in text.out and text.err.count("gone.png") == 1
    assert run(evaluate, "--people", table, "--repeats", 2, "--split") == 0
    assert "5 people, 20 photos" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "a,b,c", "a,b\n1,2", "a,b,c\nx.png,y.png,Yes", "\x00\xff"])
def test_tables_that_make_no_sense_are_one_line(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(text.encode("latin-1"))
    assert run(evaluate, "--pairs", path) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_people_that_cannot_be_evaluated(tmp_path: Path, people: Path) -> None:
    assert run(evaluate, "--people", tmp_path / "absent.csv") == 2
    assert run(evaluate, "--people", people / "anna") == 2
    assert run(evaluate, "--people", people, "--enrol", 9) == 2
    with pytest.raises(SystemExit):
        evaluate.main(["--people", str(people), "--far", "2"])
