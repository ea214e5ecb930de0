"""The page as a person uses it: a real browser on a real graph with the simulated stage."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_site import CHROMIUM, PHONE, WAIT_MS, Line, Site, live, playwright, rotated_photo, said, tap_face
from processes import needs_samples

from face_af_view.page.pairing import TRIES

pytest_plugins = ["page_site"]  # its fixtures
pytestmark = [
    needs_samples,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
    pytest.mark.timeout(300),
]

LAPTOP = {"width": 1600, "height": 900}


def test_the_picture_lives_and_says_what_is_done(phone: Any, site: Site) -> None:
    page = phone()
    playwright.expect(page.locator("#state")).not_to_have_text("no steering", timeout=WAIT_MS)
    playwright.expect(page.locator("#facts")).to_contain_text("Z 8", timeout=WAIT_MS)
    playwright.expect(page.locator("#people-strip")).to_contain_text(site.target, timeout=WAIT_MS)
    before = page.evaluate("faceAf.picture.drawnFrames")
    page.wait_for_function(f"faceAf.picture.drawnFrames > {before} + 10", timeout=WAIT_MS)
    assert page.problems == []


def test_choose_by_tap_while_faces_move_and_take_it_back(phone: Any, site: Site) -> None:
    page = phone()
    page.locator("#people-strip button", has_text="Nobody").click()
    said(page).to_contain_text("no target", timeout=WAIT_MS)
    playwright.expect(page.locator("#who")).to_have_text("Nobody", timeout=WAIT_MS)
    for _ in range(8):  # the face may be gone before the finger is down
        assert tap_face(page, "face.name") == site.target
        with contextlib.suppress(AssertionError):
            said(page).to_contain_text(f"the target is {site.target}", timeout=WAIT_MS / 8)
            break
    playwright.expect(page.locator("#who")).to_contain_text(site.target, timeout=WAIT_MS)
    page.locator("#undo").click()
    playwright.expect(page.locator("#who")).to_have_text("Nobody", timeout=WAIT_MS)
    page.locator("#people-strip button", has_text=site.target).click()
    playwright.expect(page.locator("#who")).to_contain_text(site.target, timeout=WAIT_MS)


def test_follow_an_unknown_face(phone: Any, site: Site) -> None:
    page = phone()
    answers: list[str] = []
    while not (answers and "is followed" in answers[-1]):
        assert len(answers) < 8, answers  # somebody may leave the stage just then
        tap_face(page, "!face.name && face.box[2] > 40")
        page.get_by_role("button", name="Follow this face").click()
        said(page).to_contain_text("face", timeout=WAIT_MS)
        answers.append(page.locator("#toast-text").inner_text())
    playwright.expect(page.locator("#who")).to_contain_text("The face you chose", timeout=WAIT_MS)
    page.locator("#undo").click()
    playwright.expect(page.locator("#who")).to_contain_text(site.target, timeout=WAIT_MS)


def test_name_an_unknown_face_and_take_it_back(phone: Any) -> None:
    page = phone()
    tap_face(page, "!face.name && face.box[2] > 40")
    dialog = page.locator("#sheet")
    playwright.expect(dialog.locator("#sheet-chip")).to_be_visible(timeout=WAIT_MS)
    dialog.get_by_label("Name").fill("Zoë")
    dialog.get_by_role("button", name="Save this face").click()
    said(page).to_contain_text("enrolled as Zoë", timeout=WAIT_MS)
    playwright.expect(page.locator("#people-strip")).to_contain_text("Zoë", timeout=WAIT_MS)
    page.locator("#undo").click()
    said(page).to_contain_text("removed", timeout=WAIT_MS)


def test_pause_is_seen_by_the_other_phone(phone: Any) -> None:
    one, other = phone(), phone(locale="de-DE")
    one.get_by_role("button", name="PAUSE").click()
    playwright.expect(one.locator("#state")).to_have_text("Paused", timeout=WAIT_MS)
    playwright.expect(other.locator("#state")).to_have_text("Pause", timeout=WAIT_MS)
    other.get_by_role("button", name="WEITER").click()
    playwright.expect(one.locator("#pause")).to_have_text("PAUSE", timeout=WAIT_MS)


def test_photographs_from_the_phone(phone: Any, tmp_path: Path) -> None:
    page = phone()
    page.get_by_role("button", name="People").click()
    page.locator("#add-name").fill("Otto")
    (tmp_path / "text.jpg").write_text("<html>no photograph</html>")
    page.locator("#add-files").set_input_files([tmp_path / "text.jpg", rotated_photo(tmp_path)])
    added = page.locator("#added")
    playwright.expect(added).to_contain_text("text.jpg: a web page or another text", timeout=WAIT_MS)
    added.get_by_role("button", name="Save for Otto").click()
    playwright.expect(added).to_contain_text("Saved for Otto", timeout=WAIT_MS)
    chip = page.evaluate("document.querySelector('#added img').src").split(",")[1]
    assert np.frombuffer(base64.b64decode(chip), np.uint8)[:2].tobytes() == b"\xff\xd8"
    # who looks like Otto names him too
    page.locator("#people-list button", has_text=re.compile("^Otto")).click()
    playwright.expect(page.locator("#person-facts")).to_contain_text("1 faces", timeout=WAIT_MS)
    page.get_by_role("button", name="Remove Otto").click()
    page.locator("#ask-no").click()
    playwright.expect(page.locator("#people-list")).to_contain_text("Otto")
    page.get_by_role("button", name="Remove Otto").click()
    page.locator("#ask-yes").click()
    playwright.expect(page.locator("#people-list")).not_to_contain_text("Otto", timeout=WAIT_MS)
    assert page.problems == []


def test_a_parameter_by_slider(phone: Any) -> None:
    page = phone()
    page.get_by_role("button", name="Set-up").click()
    page.locator("#node").select_option("steering")
    page.locator("#filter").fill("paused")
    box = page.locator("#parameters").get_by_label("paused")
    box.check()
    said(page).to_contain_text("paused: true", timeout=WAIT_MS)
    page.locator("#undo").click()
    said(page).to_contain_text("paused: false", timeout=WAIT_MS)


def test_calibration_by_a_tap(phone: Any) -> None:
    page, answers = phone(), []
    for _ in range(8):
        page.get_by_role("button", name="Set-up").click()
        page.locator("#calibrate").get_by_role("button", name="Green").click()
        page.wait_for_function("faceAf.picture.shown?.boxes?.some((box) => box.state === 3)", timeout=WAIT_MS)
        place = page.evaluate(
            """() => {
                const { box } = faceAf.picture.shown.boxes.find((box) => box.state === 3) || { box: [0, 0, 0, 0] };
                const rect = faceAf.picture.canvas.getBoundingClientRect();
                const scale = rect.width / faceAf.picture.frame.width;
                return [rect.left + (box[0] + box[2] / 2) * scale, rect.top + (box[1] + box[3] / 2) * scale];
            }"""
        )
        page.touchscreen.tap(*place)
        page.wait_for_function(
            "!['…', ''].includes(document.querySelector('#toast-text').textContent)", timeout=WAIT_MS
        )
        if re.match("learned|this box was read rightly", page.locator("#toast-text").inner_text()):
            return
        answers.append(page.locator("#toast-text").inner_text())
        page.evaluate("document.querySelector('#toast-text').textContent = ''")
    pytest.fail(f"no green box could be learned from: {answers}")


@pytest.mark.parametrize("size", [PHONE, {"width": 844, "height": 390}, {"width": 1024, "height": 768}])
def test_every_screen_shows_all_of_it(phone: Any, size: dict[str, int]) -> None:
    page = phone(viewport=size)
    for tab in ("Live", "People", "Set-up"):
        page.get_by_role("button", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_role("button", name="Live").click()
    box = page.locator("#picture").bounding_box()
    assert box["width"] > 250 and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]
    pause = page.get_by_role("button", name="PAUSE")
    pause.scroll_into_view_if_needed()
    assert pause.bounding_box()["height"] >= 44


def test_no_accessibility_faults(phone: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed here")
    page = phone()
    for tab in ("Live", "People", "Set-up"):
        page.get_by_role("button", name=tab).click()
        page.wait_for_timeout(500)
        found = axe.Axe().run(page)
        assert found.violations_count == 0, f"{tab}: {found.generate_report()}"


def test_a_viewer_may_only_look(phone: Any, site: Site, browser: Any) -> None:
    page = phone()
    page.get_by_role("button", name="Set-up").click()
    page.get_by_role("button", name="Link for a viewer").click()
    playwright.expect(page.locator("#link-url")).to_contain_text("#view=", timeout=WAIT_MS)
    link = page.locator("#link-url").inner_text()
    context = browser.new_context(ignore_https_errors=True, bypass_csp=True, viewport=PHONE, locale="en-GB")
    guest = context.new_page()
    guest.goto(link)
    live(guest)
    assert not guest.locator("#pause").is_visible()
    answer = guest.evaluate("faceAf.link.act('pause')")
    assert answer["ok"] is False and answer["message"] == "view_only"
    assert guest.evaluate("fetch('api/people').then((r) => r.status)") == 403
    page.reload()
    live(page)
    page.get_by_role("button", name="Set-up").click()
    row = page.locator("#devices li", has_text="looks only")
    row.get_by_role("button", name="Remove").click()
    page.locator("#ask-yes").click()
    playwright.expect(guest.locator("#pair")).to_be_visible(timeout=WAIT_MS)
    context.close()


def test_a_slow_line_gets_smaller_frames_and_still_takes_orders(site: Site, browser: Any, cookies: Any) -> None:
    line = Line(int(site.address.rstrip("/").rsplit(":", 1)[1]), 60_000, 0.02)
    context = browser.new_context(
        ignore_https_errors=True, bypass_csp=True, viewport=LAPTOP, locale="en-GB", storage_state=cookies
    )
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"https://localhost:{line.port}/")
        page.wait_for_function("window.faceAf && faceAf.picture.drawnFrames > 0", timeout=120_000)
        # it begins with 960 columns
        page.wait_for_function("faceAf.picture.frame.bitmap.width <= 480", timeout=120_000)
        page.get_by_role("button", name="PAUSE").click()
        playwright.expect(page.locator("#state")).to_have_text("Paused", timeout=WAIT_MS)
        page.get_by_role("button", name="RESUME").click()
        playwright.expect(page.locator("#pause")).to_have_text("PAUSE", timeout=WAIT_MS)
    finally:
        context.close()
        line.close()


def test_a_target_that_nobody_is_enrolled_for_is_told(phone: Any, site: Site) -> None:
    page = phone()
    answer = page.evaluate("faceAf.link.act('target', { name: 'Zoltan' })")
    assert not answer["ok"] and "nobody called 'Zoltan'" in answer["message"]
    answer = page.evaluate("faceAf.link.act('set', { node: 'perception', name: 'target', value: 'Zoltan' })")
    assert answer["ok"]
    playwright.expect(page.locator("#reason")).to_have_text("nobody is enrolled as Zoltan", timeout=WAIT_MS)
    playwright.expect(page.locator("#warnings")).to_contain_text("nobody called 'Zoltan'", timeout=WAIT_MS)
    answer = page.evaluate("(undo) => faceAf.link.act('undo', { of: undo })", answer["undo"])
    assert answer["ok"]
    playwright.expect(page.locator("#who")).to_contain_text(site.target, timeout=WAIT_MS)


def test_record_and_replay(phone: Any, site: Site) -> None:
    page = phone()
    page.get_by_role("button", name="Set-up").click()
    page.get_by_role("button", name="Start recording").click()
    playwright.expect(page.locator("#record")).to_have_text("Stop recording", timeout=WAIT_MS)
    playwright.expect(page.locator("#facts")).to_contain_text("recording", timeout=WAIT_MS)
    folder = site.data / "recordings"
    assert site.run.until(lambda: any(f.stat().st_size > 2_000_000 for f in folder.glob("*/*.mcap")), 100)
    page.get_by_role("button", name="Stop recording").click()
    said(page).to_contain_text("the recording is finished", timeout=WAIT_MS)
    (bag,) = folder.iterdir()
    page.get_by_role("button", name="Live").click()
    page.get_by_role("button", name="Set-up").click()
    playwright.expect(page.locator("#recordings")).to_contain_text(bag.name, timeout=WAIT_MS)
    page.get_by_role("button", name="Replay").click()
    link = page.locator("#replay-link a")
    playwright.expect(link).to_have_text(f"Look at {bag.name}", timeout=120_000)
    with page.context.expect_page() as opened:
        link.click()
    replay = opened.value
    replay.set_default_timeout(WAIT_MS)
    replay.wait_for_function("window.faceAf && faceAf.picture.drawnFrames > 5", timeout=120_000)
    playwright.expect(replay.locator("#who")).to_contain_text(site.target, timeout=WAIT_MS)
    page.get_by_role("button", name="End the replay").click()
    playwright.expect(page.locator("#replay-link")).to_be_empty(timeout=WAIT_MS)
    playwright.expect(replay.locator("#stale")).to_be_visible(timeout=WAIT_MS)
    assert page.problems == []


def test_the_doctor_has_findings(phone: Any) -> None:
    page = phone()
    page.get_by_role("button", name="Set-up").click()
    page.get_by_role("button", name="Examine this machine").click()
    playwright.expect(page.locator("#findings li").nth(3)).to_be_visible(timeout=120_000)
    assert page.locator("#findings li", has_text="✓").count() > 0


def test_orders_of_other_pages_are_refused(phone: Any, site: Site) -> None:
    page = phone()
    evil = {"Origin": "https://evil.example"}
    assert page.request.post(site.address + "api/link", data="{}", headers=evil).status == 403
    assert page.request.get(site.address + "api/people", headers={"Host": "evil.example"}).status == 403


def test_a_killed_graph_is_told_and_comes_back(phone: Any, site: Site) -> None:
    page = phone()
    page.evaluate("window.notReloaded = true")
    children = [pid for pid in site.run.descendants() if b"container" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert children
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    playwright.expect(page.locator("#stale")).to_be_visible(timeout=WAIT_MS)
    before = page.evaluate("faceAf.picture.drawnFrames")
    page.wait_for_function(f"faceAf.picture.drawnFrames > {before} + 5 && !faceAf.picture.stale", timeout=120_000)
    assert page.evaluate("window.notReloaded")


def test_a_tap_on_an_old_frame_is_answered(phone: Any) -> None:
    page = phone()
    page.evaluate("Object.defineProperty(faceAf.picture, 'stale', { value: true })")
    page.locator("#picture").click(force=True)
    said(page).to_contain_text("nothing was chosen", timeout=WAIT_MS)


def test_wrong_pins_are_slowed_down(site: Site, browser: Any) -> None:
    context = browser.new_context(ignore_https_errors=True, viewport=PHONE, locale="en-GB")
    page = context.new_page()
    page.goto(site.address)
    for _ in range(TRIES + 1):
        page.get_by_label("PIN, six digits").fill("000000" if site.pin != "000000" else "000001")
        page.get_by_role("button", name="Pair").click()
        page.wait_for_timeout(300)
    playwright.expect(page.locator("#pair-error")).to_contain_text("Too many wrong PINs", timeout=WAIT_MS)
    page.get_by_label("PIN, six digits").fill(site.pin)
    page.get_by_role("button", name="Pair").click()
    page.wait_for_timeout(300)
    assert not page.locator("#picture").is_visible()
    context.close()
