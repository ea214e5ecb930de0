"""Who holds the camera."""

from __future__ import annotations

from nikon_mcn10_driver.transport.usb_holders import advice, holders


def test_holders_are_found_by_the_device_file(tmp_path):
    for pid, name, target in ((41, "gvfsd-gphoto2", "/dev/bus/usb/001/007"), (42, "bash", "/dev/null")):
        fds = tmp_path / str(pid) / "fd"
        fds.mkdir(parents=True)
        (fds / "5").symlink_to(target)
        (tmp_path / str(pid) / "comm").write_text(name + "\n")
    (tmp_path / "meminfo").write_text("")
    assert holders(1, 7, tmp_path) == ["gvfsd-gphoto2 (pid 41)"]
    assert holders(1, 8, tmp_path) == []


def test_advice_names_what_to_stop():
    assert "gvfs-gphoto2-volume-monitor" in advice(["gvfsd-gphoto2 (pid 41)"])
    assert advice(["mine (pid 3)"]) == "mine (pid 3) holds the camera: end it"
    assert "gvfs" in advice([])
