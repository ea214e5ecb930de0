"""A real camera body on USB or in the network: it answers, stays connected, and is left as it was found.

No button is pressed. ``./run test --hardware test/hardware``; FACE_AF_TEST_CAMERA=HOST[:PORT] for PTP/IP, else USB.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from face_af_common.paths import share_dir
from nikon_mcn10_driver.backends import remote_factory
from nikon_mcn10_driver.params import DriverParams
from nikon_mcn10_driver.remote import Remote

pytestmark = pytest.mark.hardware


@pytest.fixture
def remote() -> Iterator[Remote]:
    host, _, port = os.environ.get("FACE_AF_TEST_CAMERA", "").partition(":")
    given = {"transport": "ptpip", "host": host, "port": int(port or 15740)} if host else {"transport": "usb"}
    make = remote_factory(DriverParams(**given), share_dir() / "config" / "remote")  # type: ignore[arg-type]
    assert make is not None
    opened = make()
    yield opened
    opened.close()


def test_the_camera_answers_for_ten_seconds(remote: Remote) -> None:
    identity = remote.connect()
    assert identity.model
    end = time.monotonic() + 10
    while time.monotonic() < end:
        remote.heartbeat()
        remote.poll()
        time.sleep(0.5)


def test_it_can_be_reached_again_after_closing(remote: Remote) -> None:
    first = remote.connect()
    remote.close()
    assert remote.connect().serial == first.serial
