from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from face_af_crops.candidates import Candidate, PieceResult, perceptual_hash
from face_af_crops.curate import main as curate
from face_af_crops.curation import choose, read_index
from face_af_crops.duplicates import Duplicates
from face_af_crops.errors import CropError
from face_af_crops.output import COLUMNS, OutputFolder, RowFile
from face_af_crops.run import finished_part
from face_af_crops.settings import make_settings
from face_af_crops.workers import check_address

KEY = {"settings": {"a": 1}}


def candidate(frame: int, row: tuple[float, ...] = (1, 0), bits: int = 0, **changes: object) -> Candidate:
    known = {
        "person": "anna", "frame": frame, "time": frame / 10, "score": 0.5, "distance": 0.3, "second": -1.0,
        "box": (0, 0, 20, 30), "face": (5.0, 5.0, 8.0, 9.0), "ratio": "2:3", "quality": 0.5, "sharpness": 0.5,
        "pose": "front", "brightness": 0.4, "scene": 0, "hash": bits, "estimated": False,
        "embedding": np.array(row, np.float32), "data": b"crop", "preview": b"",
    }  # fmt: skip
    return Candidate(**{**known, **changes})  # type: ignore[arg-type]


def test_a_piece_survives_its_bytes() -> None:
    piece = PieceResult((candidate(3, preview=b"p"), candidate(9)), ("{}",))
    again = PieceResult.from_bytes(piece.to_bytes())
    assert [c.frame for c in again.candidates] == [3, 9]
    assert again.candidates[0].data == b"crop"
    assert again.candidates[0].box == (0, 0, 20, 30)
    assert again.debug == ("{}",)


def test_near_duplicates_are_dropped_with_the_reason() -> None:
    duplicates = Duplicates(make_settings())
    assert duplicates.refusal("v", candidate(0)) == ""
    assert "too soon" in duplicates.refusal("v", candidate(10, (0, 1), bits=2**60))
    assert "frame 0" in duplicates.refusal("v", candidate(100))
    assert duplicates.refusal("v", candidate(100, (0, 1))) == ""
    assert duplicates.refusal("v", candidate(200, bits=2**40 - 1)) == ""
    assert duplicates.refusal("v", candidate(0, person="ben")) == ""


def test_only_a_folder_of_the_same_run_is_continued(tmp_path: Path) -> None:
    out = tmp_path / "out"
    OutputFolder(out, KEY).keep_part("scan", b"1")
    assert OutputFolder(out, KEY).part("scan") == b"1"
    with pytest.raises(CropError, match="settings"):
        OutputFolder(out, {"settings": {"a": 2}})
    assert OutputFolder(out, {"settings": {"a": 2}}, restart=True).part("scan") is None


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    for restart in (False, True):
        with pytest.raises(CropError, match="something else"):
            OutputFolder(tmp_path, KEY, restart)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def row(n: int) -> dict[str, object]:
    return dict.fromkeys(COLUMNS, f"{n}")


def test_rows_are_continued_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "index.csv"
    rows = RowFile(path)
    rows.add(row(1))
    rows.add(row(2))
    rows.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    rows = RowFile(path)
    rows.add(row(1))
    rows.add(row(2))
    rows.close()
    assert path.read_bytes() == whole
    rows = RowFile(path)
    rows.add(row(7))
    rows.close()
    assert path.read_bytes() == whole.splitlines(keepends=True)[0] + b",".join([b"7"] * len(COLUMNS)) + b"\n"


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.1:8786", "10.0.0.1:8786", "example.org:1", "ucx://127.0.0.1:1", "//"]
)
def test_a_foreign_scheduler_without_tls_is_refused(address: str) -> None:
    with pytest.raises(CropError, match="tls"):
        check_address(address)


@pytest.mark.parametrize("address", ["tls://10.0.0.1:8786", "127.0.0.1:8786", "tcp://[::1]:8786", "localhost:8786"])
def test_loopback_and_tls_are_accepted(address: str) -> None:
    check_address(address)


def run_folder(tmp_path: Path, count: int) -> Path:
    out = tmp_path / "out"
    folder = OutputFolder(out, KEY)
    rows = RowFile(out / "index.csv")
    for i in range(count):
        path = f"crops/v_{i:07d}.jpg"
        folder.save(path, b"x")
        cells = dict.fromkeys(COLUMNS, "1") | {
            "crop_path": path, "score": f"{0.9 - i * 0.01:.2f}", "hash": f"{0:016x}", "video": "v<1>.mp4",
            "pose": "front" if i < count - 2 else "left", "scene": str(i // 4),
        }  # fmt: skip
        rows.add(cells)
    rows.close()
    return out


def test_curation_takes_the_best_and_then_what_differs(tmp_path: Path) -> None:
    rows = read_index(run_folder(tmp_path, 12))
    assert choose(rows, 3, weight=1.0) == [0, 1, 2]
    varied = choose(rows, 3, weight=0.3)
    assert varied[0] == 0
    assert any(rows[i].cells["pose"] == "left" for i in varied)
    assert len({rows[i].cells["scene"] for i in varied}) == 3
    assert choose(rows, 99) == choose(rows, 12)


def test_dropped_crops_are_moved_only_when_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run_folder(tmp_path, 5)
    assert curate([str(out), "--max", "3"]) == 0
    text = (out / "index.html").read_text()
    assert "v\\u003c1>.mp4" in text
    assert len(list((out / "crops").iterdir())) == 5
    selection = tmp_path / "selection.json"
    selection.write_text('{"dropped": ["crops/v_0000001.jpg"]}')
    assert curate([str(out), "--apply", str(selection)]) == 0
    assert len(read_index(out)) == 4
    assert (out / "dropped" / "v_0000001.jpg").is_file()
    selection.write_text('{"dropped": ["../../etc/passwd"]}')
    assert curate([str(out), "--apply", str(selection)]) == 1
    assert "no crop of" in capsys.readouterr().err


@pytest.mark.parametrize(("column", "value"), [("score", "much"), ("hash", "f" * 17), ("hash", ""), ("x1", "1,5")])
def test_a_damaged_index_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, value: str
) -> None:
    out = run_folder(tmp_path, 3)
    with (out / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    rows[1][column] = value
    with (out / "index.csv").open("w") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    assert curate([str(out), "--max", "2"]) == 1
    said = capsys.readouterr().err
    assert "index.csv: damaged" in said and said.count("\n") == 1


@pytest.mark.parametrize("name", ["index.csv", "selection.json"])
def test_a_fifo_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    out = run_folder(tmp_path, 3)
    (out / name).unlink(missing_ok=True)
    os.mkfifo(out / name)
    assert curate([str(out), "--apply", str(out / "selection.json")]) == 1
    assert name in capsys.readouterr().err


@pytest.mark.parametrize("damage", [lambda data: data[:40], lambda data: data[:-30] + bytes(30), lambda data: b"x"])
def test_a_damaged_part_is_done_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    output = OutputFolder(tmp_path / "out", KEY)
    whole = PieceResult((candidate(1),), ()).to_bytes()
    output.keep_part("whole", whole)
    output.keep_part("damaged", damage(whole))
    found = finished_part(output, "whole", PieceResult.from_bytes)
    assert found is not None and found.candidates[0].frame == 1
    assert finished_part(output, "damaged", PieceResult.from_bytes) is None
    assert finished_part(output, "absent", PieceResult.from_bytes) is None


def test_the_hash_follows_the_image_and_not_its_noise() -> None:
    rng = np.random.default_rng(1)
    image = np.repeat(np.repeat(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8), 16, 0), 16, 1)
    noisy = np.clip(image.astype(int) + rng.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    other = image[:, ::-1].copy()
    assert (perceptual_hash(image) ^ perceptual_hash(noisy)).bit_count() <= 6
    assert (perceptual_hash(image) ^ perceptual_hash(other)).bit_count() > 16
