"""The variable that names Fast DDS' profile, by distribution."""

from __future__ import annotations

import pytest

from face_af_common import fastdds


@pytest.mark.parametrize(
    ("distro", "variable"),
    [
        ("humble", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_each_distribution_has_its_variable(monkeypatch: pytest.MonkeyPatch, distro: str, variable: str) -> None:
    monkeypatch.setenv("ROS_DISTRO", distro)
    for name in fastdds.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert fastdds.export_line().startswith(f"export {variable}=")
    assert fastdds.profile().is_file()


def test_a_profile_of_the_users_own_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fastdds.profile_variable(), "/my/own.xml")
    assert fastdds.export_line() == ""


def test_where_shared_memory_is_small_nobody_tries_to_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(fastdds.profile_variable(), raising=False)
    for free, name in ((1.0, "fastdds_small.xml"), (1000.0, "fastdds.xml")):
        monkeypatch.setattr(fastdds, "shared_memory_mb", lambda free=free: free)
        assert fastdds.export_line().endswith(name)
    monkeypatch.setenv(fastdds.profile_variable(), str(fastdds.profile(frames=False)))
    assert not fastdds.users_profile(), "./run names the project's own"


def test_small_messages_need_no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SHM" in fastdds.profile().read_text()
    assert "SHM" not in fastdds.profile(frames=False).read_text()
    monkeypatch.setenv(fastdds.profile_variable(), str(fastdds.profile()))
    assert not fastdds.users_profile(), "./run names the project's own"
    monkeypatch.setenv(fastdds.profile_variable(), "/my/own.xml")
    assert fastdds.users_profile()
    monkeypatch.delenv(fastdds.profile_variable())
    assert not fastdds.users_profile()
