"""Pictures of the page for the documents: ./run python tools/page_screenshots.py http://127.0.0.1:8443/

Of a page on loopback, beside a running demo, or of a replay (--only phone tablet). All faces are made unrecognisable,
and --rename shows other names: nobody's image is part of the project.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

PHONE = {"width": 390, "height": 844}
TABLET = {"width": 1180, "height": 760}
_BLOCKS = 6
_FACES = """() => {
    const { canvas, frame, shown } = faceAf.picture;
    const rect = canvas.getBoundingClientRect(), scale = rect.width / frame.width;
    return (shown?.faces || []).map(({ box: [x, y, w, h] }) =>
        [rect.left + (x - w / 4) * scale, rect.top + (y - h / 4) * scale, w * 1.5 * scale, h * 1.5 * scale]);
}"""
_HOLD = "() => { faceAf.picture.link.drawn = () => {}; }"
_GOOD = """() => {
    const { shown } = faceAf.picture;
    return shown?.state?.state === 5 && shown.faces.some((face) => face.target) && shown.faces.length > 1;
}"""


def hidden(png: bytes, boxes: list[list[float]], dense: float) -> Image.Image:
    """The picture with those boxes (x, y, width, height in CSS pixels) in coarse blocks."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for x, y, width, height in boxes:
        corners = [round(value * dense) for value in (x, y, x + width, y + height)]
        area = (max(0, corners[0]), max(0, corners[1]), min(image.width, corners[2]), min(image.height, corners[3]))
        if area[2] > area[0] and area[3] > area[1]:
            part = image.crop(area)
            image.paste(part.resize((_BLOCKS, _BLOCKS)).resize(part.size, Image.Resampling.NEAREST), area[:2])
    return image


def shoot(browser: Any, address: str, out: Path, only: list[str], rename: list[str]) -> None:
    for name, size, tab in (("phone", PHONE, "Live"), ("tablet", TABLET, "Live"), ("people", PHONE, "People"),
                            ("setup", PHONE, "Set-up")):  # fmt: skip
        if name not in only:
            continue
        dense = 2 if size is PHONE else 1
        context = browser.new_context(viewport=size, device_scale_factor=dense, locale="en-GB", bypass_csp=True)
        for old, new in (pair.split("=") for pair in rename):
            words = json.dumps([old, new])
            context.add_init_script(
                f"{{ const parse = JSON.parse; JSON.parse = (text) => parse(text.replaceAll(...{words})); }}"
            )
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.faceAf && faceAf.picture.drawnFrames > 40", timeout=60_000)
        page.get_by_role("button", name=tab).click()
        if tab == "Live":
            page.wait_for_function(_GOOD, timeout=60_000, polling=50)
            page.evaluate(_HOLD)  # the next frame is sent when this one has been drawn
            page.wait_for_timeout(200)
        else:
            page.wait_for_timeout(1500)
        boxes = page.evaluate(_FACES) if tab == "Live" else []
        hidden(page.screenshot(), boxes, dense).save(out / f"page_{name}.jpg", quality=82, optimize=True)
        context.close()


def main() -> int:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("--only", nargs="+", default=["phone", "tablet", "people", "setup"], metavar="PICTURE")
    parser.add_argument("--rename", nargs="+", default=[], metavar="OLD=NEW")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        shoot(browser, options.address, options.out, options.only, options.rename)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
