"""Doctor and health: what a machine lacks, and many nodes in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_af import machine as checks
from face_af.doctor import main
from face_af.health_summary import NodeHealth, forget, health_line, note, worst
from face_af.machine import FAIL, OK, WARN, Machine, examine


def test_doctor_runs_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) in (0, 1)
    findings = json.loads(capsys.readouterr().out)
    assert len(findings) > 8
    assert all(finding["advice"] for finding in findings if finding["status"] != OK)


def by_subject(machine: Machine) -> dict[str, tuple[str, str]]:
    return {finding.subject: (finding.status, finding.text) for finding in examine(machine)}


def test_an_empty_machine_and_one_with_a_camera(tmp_path: Path) -> None:
    (tmp_path / "dev/shm").mkdir(parents=True)
    found = by_subject(Machine(tmp_path))
    assert found["capture"][0] == WARN and found["camera"][0] == WARN
    device = tmp_path / "sys/bus/usb/devices/1-1"
    device.mkdir(parents=True)
    for name, text in {"idVendor": "04b0\n", "product": "Z 8", "speed": "5000"}.items():
        (device / name).write_text(text)
    (tmp_path / "dev/video0").touch()
    found = by_subject(Machine(tmp_path))
    assert found["camera"] == (OK, "Z 8 on USB (5000 Mbit/s)")
    assert found["capture"][0] == OK


def test_jetson_power_mode_and_governor(tmp_path: Path) -> None:
    governor = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    governor.parent.mkdir(parents=True)
    governor.write_text("powersave\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").touch()
    found = by_subject(Machine(tmp_path))
    assert found["CPU governor"] == (WARN, "powersave")
    assert found["Jetson power"][0] == WARN


def test_profile_that_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = tmp_path / "dds.xml"
    profile.write_text("<segment_size>524288</segment_size>")
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(profile))
    assert by_subject(Machine())["Fast DDS"][0] == FAIL


def test_a_check_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def _broken_check(_: Machine) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(checks, "CHECKS", (_broken_check,))
    assert [finding.status for finding in examine(Machine())] == [WARN]


def test_health_line() -> None:
    nodes = {
        "face_af/perception": NodeHealth(
            0, "working", 10.0, {"rate_hz": "29.9", "latency_p95_ms": "24.2", "drops": "3"}
        ),
        "face_af/capture": NodeHealth(2, "no device", 9.5, {"rate_hz": "0.0"}),
        "face_af/overlay": NodeHealth(0, "working", 4.0),
    }
    assert health_line(nodes, 10.0) == (
        "ERROR | capture ERROR: no device | overlay silent for 6 s | perception 29.9/s 24 ms 3 dropped"
    )
    del nodes["face_af/capture"]
    assert worst(nodes, 10.0) == 3
    assert health_line({}, 0.0) == "STALE | no node reports"


@given(
    st.lists(
        st.tuples(
            st.text(), st.integers(0, 255), st.text(),
            st.dictionaries(st.sampled_from(["rate_hz", "latency_p95_ms", "drops"]), st.text() | st.floats().map(str)),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_whatever_strangers_report_is_one_line(said: list[tuple[str, int, str, dict[str, str]]]) -> None:
    nodes: dict[str, NodeHealth] = {}
    for name, level, message, values in said:
        note(nodes, name, NodeHealth(level, message, 0.0, values))
    line = health_line(nodes, 1.0)
    assert line.isprintable() and line.split(" | ")[0] in ("OK", "WARN", "ERROR", "STALE")


def test_strangers_do_not_fill_the_memory() -> None:
    nodes: dict[str, NodeHealth] = {}
    for number in range(1000):
        note(nodes, f"{number}" * 1000, NodeHealth(0, "x" * 100_000, 0.0, {str(key): "" for key in range(1000)}))
    assert len(nodes) == 100
    assert all(len(name) <= 80 and len(node.message) <= 200 and not node.values for name, node in nodes.items())
    forget(nodes, 61.0)
    assert nodes == {}


def test_type_stubs_are_not_tensorrt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorrt").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    assert by_subject(Machine())["TensorRT"] == (OK, "type stubs only, not the library; ONNX Runtime is used")


def test_a_library_that_does_not_import_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('Numba needs NumPy 1.22 or greater')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert by_subject(Machine())["numba"] == (FAIL, "is broken: Numba needs NumPy 1.22 or greater")


def test_advice_is_the_shipped_udev_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "sys/bus/usb/devices/1-1"
    device.mkdir(parents=True)
    for name, text in {"idVendor": "04b0", "product": "Z 8", "busnum": "1", "devnum": "2"}.items():
        (device / name).write_text(text)
    (advice,) = (finding.advice for finding in examine(Machine(tmp_path)) if finding.subject == "camera")
    rule = Path(advice.split()[2])
    assert rule.name == "70-face-af-nikon.rules" and rule.is_file()
