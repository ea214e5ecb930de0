"""map on made-up people, and on real photographs where there are some (FACE_AF_TEST_FACES)."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from face_af_people import enrol, map
from face_af_people.face_map import place

sys.path.insert(0, str(Path(__file__).parent))
from fake_people import analyser, photo, run

FACES = Path(os.environ.get("FACE_AF_TEST_FACES", ""))


@pytest.fixture(autouse=True)
def fake_models(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "real" not in request.node.name:
        for tool in (enrol, map):
            monkeypatch.setattr(tool, "open_analyser", lambda options: analyser())


def test_a_wrong_label_is_seen_at_a_glance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("<anna>", "dora"):
        for number, light in enumerate((140, 180, 220, 250)):
            photo(tmp_path / "people" / name / f"{number}.png", (name.strip("<>"), 180), light=light)
    photo(tmp_path / "people" / "<anna>" / "wrong.png", ("dora", 170), light=200)
    gallery = tmp_path / "g"
    assert run(enrol, "--gallery", gallery, "--keep-outliers", tmp_path / "people") == 0
    capsys.readouterr()
    assert run(map, gallery) == 0
    out = capsys.readouterr().out
    assert "more like dora" in out and "<anna> and dora overlap: 4 pairs" in out and "1 samples look mislabelled" in out
    found = json.loads((gallery / "derived" / "map.json").read_text())
    assert [o["person"] for o in found["outliers"]] == ["<anna>"]
    page = (gallery / "derived" / "map.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 9 and page.count("class=wrong") == 1
    assert "<anna>" not in page and "&lt;anna&gt;" in page and "http" not in page.replace("http-equiv", "")
    assert (gallery / "derived" / "map.png").stat().st_size > 5000
    assert run(enrol, "--gallery", gallery, "--remove", "dora") == 0
    assert not (gallery / "derived").exists()
    photo(tmp_path / "one.png", ("bert", 150))
    run(enrol, "--gallery", tmp_path / "small", "--name", "bert", tmp_path / "one.png")
    capsys.readouterr()
    assert run(map, tmp_path / "small") == 2 and run(map, tmp_path / "absent") == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_people_lie_together_and_the_same_gallery_gives_the_same_map() -> None:
    rng = np.random.default_rng(0)
    middle = np.repeat(rng.standard_normal((4, 64)), 10, 0)
    rows = (middle + 0.4 * rng.standard_normal((40, 64))).astype(np.float32)
    places = place(rows)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, 9)
    assert (apart.argmin(1) // 10 == np.arange(40) // 10).all()
    assert places.min() == 0 and places.max() == 1 and np.array_equal(places, place(rows))
    assert place(rows[:4]).shape == (4, 2)


def test_real_photographs(tmp_path: Path) -> None:
    if not os.environ.get("FACE_AF_TEST_FACES") or not (FACES / "identities.csv").is_file():
        pytest.skip("no photographs (FACE_AF_TEST_FACES)")
    rows = [line.split(",") for line in (FACES / "identities.csv").read_text().splitlines()[1:]]
    moved = next(image for image, name in rows if name == "person_03")
    for image, name in rows:
        if name in ("person_01", "person_03"):
            folder = tmp_path / "people" / ("person_01" if image == moved else name)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(FACES / image, folder)
    run(enrol, "--gallery", tmp_path / "g", "--largest", "--keep-outliers", tmp_path / "people")
    assert run(map, tmp_path / "g") == 0
    found = json.loads((tmp_path / "g" / "derived" / "map.json").read_text())
    assert [(o["person"], o["other"]) for o in found["outliers"]] == [("person_01", "person_03")]
