"""Domains of one's own: nobody gets one that is taken, and lock files in the folder of everybody are not trusted."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from face_af_common.ros_domain import claim_domain, release_domain


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def _claimed_by_another_process() -> int:
    code = "from face_af_common.ros_domain import claim_domain; print(claim_domain())"
    return int(subprocess.run([sys.executable, "-c", code], text=True, stdout=subprocess.PIPE, check=True).stdout)


def test_a_claimed_domain_is_given_to_nobody_else_until_it_is_released() -> None:
    domain = claim_domain()
    assert _claimed_by_another_process() > domain
    release_domain(domain)
    assert _claimed_by_another_process() <= domain


def test_a_lock_file_that_is_a_link_is_neither_followed_nor_used(tmp_path: Path) -> None:
    domain = claim_domain()
    release_domain(domain)
    lock, elsewhere = tmp_path / f"face_af-domain-{domain}.lock", tmp_path / "elsewhere"
    lock.unlink()
    lock.symlink_to(elsewhere)
    other = claim_domain()
    release_domain(other)
    assert other > domain and not elsewhere.exists()
