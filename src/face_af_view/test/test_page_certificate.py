"""The machine's own certificate: made once, for its names, kept private, made anew when it no longer serves."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest

from face_af_view.page.certificate import CertificateError, context


def test_it_is_made_once_and_serves_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    names = ["face-af.local", "192.0.2.7"]
    assert isinstance(context("", "", folder, names), ssl.SSLContext)
    made = (folder / "certificate.pem").read_bytes()
    context("", "", folder, names[:1])
    assert (folder / "certificate.pem").read_bytes() == made
    context("", "", folder, [*names, "another.local"])
    assert (folder / "certificate.pem").read_bytes() != made
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "damage", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_damaged_one_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    context("", "", tmp_path, ["a.local"])
    (tmp_path / "certificate.pem").write_bytes(damage)
    context("", "", tmp_path, ["a.local"])
    assert len((tmp_path / "certificate.pem").read_bytes()) > 300


def test_a_users_files_are_used_or_one_line_says_why_not(tmp_path: Path) -> None:
    context("", "", tmp_path, ["a.local"])
    chain, key = str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")
    context(chain, key, tmp_path / "unused", [])
    assert not (tmp_path / "unused").exists()
    for wrong in ((chain, chain), (key, key), (str(tmp_path / "none.pem"), "")):
        with pytest.raises(CertificateError) as error:
            context(*wrong, tmp_path, [])
        assert "\n" not in str(error.value)
