#!/usr/bin/env python3
"""Pictures of the server's page for the docs, in an installed chromium: light, dark, a swapped code, how it works.

scripts/picture_page.py --model DIR --teacher DIR --text "The old woman wanted to buy three books."
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def main() -> None:
    """Serve the model, open the page, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="DIR", help="default: the small one that comes along")
    parser.add_argument("--teacher", metavar="DIR")
    parser.add_argument("--text", default="The old woman wanted to buy three books.")
    parser.add_argument("--place", type=int, default=1, help="the code that is swapped, from 0 (default: 1)")
    parser.add_argument("--option", type=int, default=0, help="which of the other codes, likeliest first (default: 0)")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    options = parser.parse_args()
    command = [sys.executable, "-m", "vqnat", "serve", "--port", "0"]
    for name in ("model", "teacher"):
        if value := getattr(options, name):
            command += [f"--{name}", value]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if address := re.search(r"http://\S+:\d+/", line):
                take(address[0], options)
                break
            print(line, end="", file=sys.stderr)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def take(address: str, options: argparse.Namespace) -> None:
    """The pictures, as PNG."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as profile:
        browser = driver.chromium.launch_persistent_context(
            profile,
            executable_path=options.chromium,
            args=list(SWITCHES),
            viewport={"width": 1100, "height": 860},
            color_scheme="light",
            reduced_motion="reduce",
        )
        page = browser.new_page()
        page.goto(address)
        page.fill("#text", options.text)
        page.keyboard.press("Enter")
        page.locator("#status").filter(has_text="Translation: ").wait_for(state="attached")
        page.locator("body:not(.busy)").wait_for()
        page.locator("#text").blur()
        chip = page.locator(".chip").nth(min(options.place, page.locator(".chip").count() - 1))

        def shoot(name: str, whole: bool = False) -> None:
            path = options.out / f"page-{name}.png"
            picture = Image.open(BytesIO(page.screenshot(full_page=whole))).convert("RGB")
            picture.quantize(96).save(path, optimize=True)  # few colors, small files
            print(path)

        chip.hover()
        shoot("light")
        chip.click()
        page.locator(".option[aria-pressed=false]").first.wait_for()
        shoot("codes", whole=True)
        page.locator(".option[aria-pressed=false]").nth(options.option).click()
        page.locator(".chip.swapped").wait_for()
        page.emulate_media(color_scheme="dark")
        shoot("swapped-dark")
        page.emulate_media(color_scheme="light")
        page.click("#reset")
        page.click("[data-view=how]")
        page.locator("#how-stage .piece").first.wait_for()
        while page.locator("#how-next").is_enabled():
            page.click("#how-next")
        shoot("how")
        browser.close()


if __name__ == "__main__":
    main()
