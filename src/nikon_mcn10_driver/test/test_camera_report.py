"""What a body offers, and which mode can work."""

from __future__ import annotations

from nikon_mcn10_driver.camera_report import main, modes, offers, table
from nikon_mcn10_driver.ptp import DeviceInfo, OperationCode

EVERYTHING = DeviceInfo("Nikon", "Z 8", "V2.00", "1", operations=tuple(OperationCode))


def test_a_body_with_all_operations_can_work_in_af_area_mode():
    assert modes(EVERYTHING, None)["af_area"] == "can work"
    assert all(offer.there for offer in offers(EVERYTHING))
    assert "Z 8" in table(EVERYTHING, None)


def test_what_is_missing_is_named():
    operations = tuple(code for code in OperationCode if code != OperationCode.NIKON_CHANGE_AF_AREA)
    less = DeviceInfo("Nikon", "Z 8", "V2.00", "1", operations=operations)
    assert "ChangeAfArea" in modes(less, None)["af_area"]
    assert "ChangeAfArea            0x9205  no" in table(less, None)


def test_no_camera_is_one_line(capsys):
    assert main(["--host", "127.0.0.1", "--port", "1"]) == 1
    assert "camera_report: " in capsys.readouterr().err
