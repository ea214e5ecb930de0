"""The page's name on the network, asked for as a phone does it."""

from __future__ import annotations

import uuid

import pytest

from face_af_view.page.addresses import announce, qr_code, url


def test_the_name_is_found_by_mdns_and_gone_afterwards() -> None:
    zeroconf = pytest.importorskip("zeroconf", reason="zeroconf is not installed")
    name = f"face-af-{uuid.uuid4().hex[:8]}"
    service = ("_https._tcp.local.", f"face_af on {name}._https._tcp.local.")
    silence = announce(name, 8443, ["127.0.0.1"])
    phone = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
    try:
        found = phone.get_service_info(*service, timeout=20_000)
        assert found is not None, "multicast does not work here"
        assert (found.server, found.parsed_addresses(), found.port) == (f"{name}.local.", ["127.0.0.1"], 8443)
    finally:
        silence()
        phone.close()
    later = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
    try:
        assert later.get_service_info(*service, timeout=1000) is None
    finally:
        later.close()


def test_addresses_as_text_and_code() -> None:
    assert url("https", "fd00::1", 8443) == "https://[fd00::1]:8443/"
    pytest.importorskip("segno", reason="segno is not installed")
    assert qr_code(url("https", "192.168.1.2", 8443)).count("\n") > 10
