#!/usr/bin/env python3
"""Makes the README's images from the experiments' reports, in a headless Chromium.

Needs `chromium` on the PATH and Pillow (`pip install pillow`). `make screenshots` runs it; the images are
committed, so that a code host shows them.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "output"
IMAGES = ROOT / "docs" / "images"
# File name, experiment, CSS selector of the only section to show (None: the whole page), URL fragment, width and
# height in pixels.
SCREENSHOTS = [
    ("opening", "quickstart", None, "", 1280, 1420),
    ("photo", "quickstart", "#photo-0", "", 1280, 1780),
    ("filters", "quickstart", "#filters", "", 1280, 620),
    ("enlarged", "quickstart", None, "#photo-0&plain=viridis&row=9.2", 1280, 660),
    ("trust", "attributions", "#trust", "", 1280, 1500),
    # Worth looking at with some hundred photos: `make large-set PHOTOS=FOLDER`, with --out output.
    ("atlas", "large-set", "#atlas", "", 1280, 900),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # A mouse: some buttons are shown only if the pointer can hover.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
]


def main():
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("screenshots: needs chromium, which opens the report")
    try:
        from PIL import Image
    except ImportError:
        sys.exit("screenshots: needs Pillow (pip install pillow), which scales the images down")
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, experiment, section, view, width, height in SCREENSHOTS:
        report = OUTPUT / experiment / "report.html"
        if not report.exists():
            print(f"screenshots: skipped {name}, because experiments/{experiment}.yaml was not run")
            continue
        with tempfile.TemporaryDirectory() as folder:
            shot = pathlib.Path(folder) / "shot.png"
            page = pathlib.Path(folder) / "page.html"
            alone = f"<style>.bar, #content > :not({section}) {{ display: none!important }}</style>"
            page.write_text(report.read_text() + (alone if section else ""))
            call = [browser, *FLAGS, f"--user-data-dir={folder}/profile"]
            call += [f"--window-size={width},{height}", f"--screenshot={shot}"]
            subprocess.run(
                [*call, page.as_uri() + view],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            image = Image.open(shot).convert("RGB")
            image = image.resize((width * 3 // 4, height * 3 // 4), Image.LANCZOS)
            image.save(IMAGES / f"{name}.jpg", quality=88, subsampling=0)
            print(f"screenshots: docs/images/{name}.jpg")


main()
