"""Files that are written from the code still say what the code says."""

from __future__ import annotations

import contextlib
import io
import runpy
from pathlib import Path

import pytest

from face_af import parameters
from face_af_common.node_params import NODES
from face_af_common.param_files import check_file

TOP = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("option", "file"), [("--yaml", "config/face_af.yaml"), ("--markdown", "docs/parameters.md")])
def test_parameters_are_up_to_date(option: str, file: str) -> None:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        assert parameters.main([option]) == 0
    assert (TOP / file).read_text() == written.getvalue(), f"./run ros2 run face_af parameters {option} > {file}"


def test_the_configuration_is_accepted_by_the_launch_files_check() -> None:
    check_file(TOP / "config/face_af.yaml", NODES)
    assert len(NODES) >= 8


def test_every_description_is_a_sentence_somebody_wrote() -> None:
    from face_af_common.params import describe

    for node, kind in NODES.items():
        for info in describe(kind):
            assert len(info.description) > 5, f"{node}: {info.name} has no description"


def test_every_package_has_the_version_of_the_file_version() -> None:
    tool = runpy.run_path(str(TOP / "tools/set_version.py"))
    assert not tool["outdated"](), "./run python tools/set_version.py"
