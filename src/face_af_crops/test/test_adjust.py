"""The page to try settings: each answer is what a run would do, and what is saved is what a run reads."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer

from face_af_common.params import values
from face_af_crops.adjust import AdjustPage, as_yaml
from face_af_crops.bank import Bank
from face_af_crops.engine import Models, engine
from face_af_crops.references import load_references
from face_af_crops.settings import PRESETS, make_settings, read_settings
from face_af_crops.trying import Trial
from face_af_crops.video import open_video


class NobodyLooks:
    """Stands where the networks are: what is wrong is refused before they are asked."""

    def look(self, time: float, settings: object) -> None:
        pytest.fail("the networks were asked")


def answers(page: AdjustPage, *posts: tuple[str, Any], host: str = "") -> list[Any]:
    """What the server says to ``(path, JSON)``, in order; a status for what it will not talk to."""

    async def run() -> list[Any]:
        said = []
        async with TestClient(TestServer(page.application())) as client:
            for path, data in posts:
                kind = {"data": data} if isinstance(data, str) else {"json": data}
                answer = await client.post(path, headers={"Host": host} if host else {}, **kind)
                said.append(await answer.json() if answer.ok else answer.status)
        return said

    return asyncio.run(run())


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_saved_is_what_a_run_reads(tmp_path: Path, preset: str) -> None:
    settings = make_settings(preset, {"ratios": ["1:1"], "long_side": 512})
    path = tmp_path / "mine.yaml"
    path.write_text(as_yaml(settings))
    assert make_settings("balanced", read_settings(path)) == settings
    path.write_text(as_yaml(make_settings()))
    assert make_settings("balanced", read_settings(path)) == make_settings()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"settings": {"face_thresh": 9}}, "face_thresh"),
        ({"settings": {"no_such": 1}}, "no_such"),
        ({"settings": {"ratios": ["2-3"]}}, "ratio"),
        ({"settings": 3}, "settings"),
        ({"time": "soon"}, "time"),
        ({"time": float("1e300")}, "time"),
        ([1], "names and values"),
        ("time=1", "JSON"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, request_: Any, words: str) -> None:
    page = AdjustPage(NobodyLooks(), make_settings(), tmp_path / "mine.yaml")  # type: ignore[arg-type]
    (answer,) = answers(page, ("/look", request_))
    assert words in answer["error"] and "\n" not in answer["error"]


def test_pages_of_other_sites_are_refused(tmp_path: Path) -> None:
    page = AdjustPage(NobodyLooks(), make_settings(), tmp_path / "mine.yaml")  # type: ignore[arg-type]
    assert answers(page, ("/save", {}), host="evil.example:80") == [403]
    assert not (tmp_path / "mine.yaml").exists()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    page = AdjustPage(NobodyLooks(), make_settings(), tmp_path / "no" / "such" / "mine.yaml")  # type: ignore[arg-type]
    (tmp_path / "no").write_text("a file")
    (answer,) = answers(page, ("/save", {"settings": {}}))
    assert "error" in answer


def test_the_singer_is_cropped_as_the_settings_say(tmp_path: Path) -> None:
    folder = os.environ.get("FACE_AF_TEST_MEDIA")
    if not folder:
        pytest.skip("set FACE_AF_TEST_MEDIA to a folder with short_hamilton_clip.mp4")
    networks = engine(Models())
    photograph = f"singer={Path(folder) / 'lin-manuel-miranda.png'}"
    bank: Bank = load_references([photograph], [], networks, Path(), print).bank
    trial = Trial(open_video(Path(folder) / "short_hamilton_clip.mp4"), networks, bank)
    page = AdjustPage(trial, make_settings(), tmp_path / "mine.yaml")
    one = {"time": 5.0, "settings": {"ratios": ["1:1"], "format": "png"}}
    good, far, saved = answers(
        page,
        ("/look", one),
        ("/look", {**one, "settings": {"face_thresh": 0.05}}),
        ("/save", {"settings": {"face_thresh": 0.5}}),
    )
    (crop,) = good["crops"]
    data = np.frombuffer(base64.b64decode(crop["image"].partition(",")[2]), np.uint8)
    height, width = cv2.imdecode(data, cv2.IMREAD_COLOR).shape[:2]
    assert width == height == crop["size"][0] and "a crop of 1:1" in good["said"][0]
    assert not far["crops"] and "too far" in far["said"][0]
    assert str(tmp_path / "mine.yaml") in saved["said"]
    assert values(make_settings("balanced", read_settings(tmp_path / "mine.yaml")))["face_thresh"] == 0.5
