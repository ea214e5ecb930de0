"""A Dask scheduler and two workers on loopback do what one process does, also when a worker is lost."""

from __future__ import annotations

import filecmp
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from face_af_common.params import values
from face_af_crops.engine import Models
from face_af_crops.errors import CropError
from face_af_crops.run import Request, make_crops
from face_af_crops.settings import make_settings
from face_af_crops.video import open_video
from face_af_crops.workers import Cluster, Task, work

pytestmark = pytest.mark.timeout(400)
distributed = pytest.importorskip("distributed", reason="needs dask[distributed]")

FLAT = values(make_settings(changes={"prescan_stride": 10}))


@pytest.fixture(scope="module")
def clip() -> Path:
    path = Path(os.environ.get("FACE_AF_TEST_MEDIA", "")) / "short_hamilton_clip.mp4"
    if not path.is_file():
        pytest.skip("FACE_AF_TEST_MEDIA names no folder with short_hamilton_clip.mp4")
    return path


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, processes=True
    ) as running:
        yield running


def test_a_cluster_gives_the_same_files(cluster: Any, clip: Path, tmp_path: Path) -> None:
    reference = str(clip.parent / "lin-manuel-miranda.png")
    for name, address in (("alone", ""), ("together", cluster.scheduler_address)):
        request = Request((clip,), (reference,), tmp_path / name, make_settings(), dask=address, end=4.0)
        reports = make_crops(request)
        assert sum(len(times) for times in reports[0].crops.values()) > 0
    files = ["index.csv", "report.json"]
    files += [str(p.relative_to(tmp_path / "alone")) for p in (tmp_path / "alone" / "crops").rglob("*.jpg")]
    assert filecmp.cmpfiles(tmp_path / "alone", tmp_path / "together", files, shallow=False)[0] == files


def test_a_lost_worker_costs_nothing_but_its_piece(cluster: Any, clip: Path) -> None:
    video = open_video(clip)
    pieces = [(start, min(start + 20, video.count)) for start in range(0, 160, 20)]
    tasks = [Task(str(clip), start, end, FLAT, Models()) for start, end in pieces]
    workers = Cluster(cluster.scheduler_address)
    try:
        results: dict[int, bytes] = {}
        for place, data in workers.map(tasks):
            assert place not in results
            if not results:
                with distributed.Client(cluster.scheduler_address) as client:
                    victim = next(iter(client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
            results[place] = data
    finally:
        workers.close()
    assert results == {place: work(task) for place, task in enumerate(tasks)}


def test_no_scheduler_is_one_line() -> None:
    with pytest.raises(CropError, match="no Dask scheduler answers there"):
        Cluster("127.0.0.1:9")
