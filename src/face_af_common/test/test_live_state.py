"""What was chosen live is there for the next process, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from face_af_common.live_state import SESSION, LiveState


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SESSION, str(tmp_path))
    return tmp_path


def test_the_next_process_finds_it(session: Path) -> None:
    first = LiveState("/ns/steering")
    assert first.get("parameters") is None
    first.keep("parameters", {"paused": True})
    first.keep("recipe", [1.5, "anna"])
    again = LiveState("/ns/steering")
    assert again.get("parameters") == {"paused": True}
    assert again.get("recipe") == [1.5, "anna"]
    assert LiveState("/other/steering").get("parameters") is None
    again.keep("recipe", None)
    assert LiveState("/ns/steering").get("recipe") is None
    (file,) = session.iterdir()
    assert file.stat().st_mode & 0o077 == 0, "names of people"


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_damaged_file_is_no_state(session: Path, text: str) -> None:
    (session / "steering.json").write_text(text)
    state = LiveState("/steering")
    assert state.get("parameters") is None
    state.keep("parameters", 1)
    assert LiveState("/steering").get("parameters") == 1


def test_a_folder_that_is_gone_stops_nobody(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SESSION, str(session / "gone"))
    state = LiveState("/steering")
    state.keep("parameters", 1)
    assert state.get("parameters") == 1


def test_without_a_session_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SESSION, raising=False)
    monkeypatch.chdir(tmp_path)
    LiveState("/steering").keep("parameters", 1)
    assert not list(tmp_path.iterdir())
    assert LiveState("/steering").get("parameters") is None
