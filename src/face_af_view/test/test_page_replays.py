"""Recordings that are played on a page of their own: listed, started with what the page has, and ended whole."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from face_af_view.page.acts import ActError
from face_af_view.page.replays import Replays

STAND_IN = f"""#!{sys.executable}
# plays the part of `ros2 launch`: tells what it was given, and answers on the page's port
import json, os, socket, sys, time
given = dict(word.split(":=", 1) for word in sys.argv if ":=" in word)
home = os.environ["FACE_AF_DATA_DIR"]
with open(os.environ["TOLD"], "w") as file:
    json.dump({{**given, "domain": os.environ["ROS_DOMAIN_ID"], "home": home, "kept": os.listdir(home + "/page"),
               "pid": os.getpid()}}, file)
if given["bag"].endswith("broken"):
    sys.exit(1)
server = socket.create_server(("127.0.0.1", int(given["page_port"])))
while True:
    server.accept()
"""


@pytest.fixture
def replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replays]:
    for name in ("evening_2", "evening_10", "broken"):
        (tmp_path / "recordings" / name).mkdir(parents=True)
        (tmp_path / "recordings" / name / "show_0.mcap").write_bytes(bytes(2_000_000))
    (tmp_path / "recordings" / "empty").mkdir()
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "devices.json").write_text("{}")
    program = tmp_path / "ros2"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    monkeypatch.setenv("TOLD", str(tmp_path / "told.json"))
    made = Replays(tmp_path / "recordings", tmp_path / "page", "0.0.0.0", command=lambda: str(program))
    yield made
    made.stop()


def until(condition) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_recordings_are_listed_newest_first(replays: Replays) -> None:
    assert [one["name"] for one in replays.list()] == ["evening_10", "evening_2", "broken"]
    assert replays.list()[0]["mb"] == 2.0


def test_a_replay_has_a_copy_of_what_the_page_keeps_and_ends_whole(replays: Replays, tmp_path: Path) -> None:
    import json

    replays.start("evening_2")
    until(lambda: replays.status.get("ready"))
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["bag"].endswith("/recordings/evening_2")
    assert (told["page_bind"], told["recompute"]) == ("0.0.0.0", "none")
    assert told["kept"] == ["devices.json"] and told["home"] != str(tmp_path)
    assert told["domain"] != os.environ.get("ROS_DOMAIN_ID", "0")
    assert (replays.status["name"], str(replays.status["port"])) == ("evening_2", told["page_port"])
    replays.start("evening_10")
    assert not Path(f"/proc/{told['pid']}").exists() and not Path(told["home"]).exists()
    replays.stop()
    assert replays.status == {}


def test_what_cannot_be_played(replays: Replays) -> None:
    for name in ("../page", "nowhere", "empty"):
        with pytest.raises(ActError, match="there is no recording"):
            replays.start(name)
    replays.start("broken")
    until(lambda: replays.status == {})
