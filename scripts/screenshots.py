#!/usr/bin/env python3
"""Makes the README's pictures from the quickstart's report, in a headless Chromium.

Needs `chromium` on the PATH and Pillow (`pip install pillow`). Run by `make screenshots`; the pictures are
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
# Name, experiment, the one section of the page to show (none: the page as its address opens it), the address's view,
# width and height in pixels.
PICTURES = [
    ("opening", "quickstart", None, "", 1280, 1420),
    ("photo", "quickstart", "#photo-0", "", 1280, 1780),
    ("filters", "quickstart", "#filters", "", 1280, 620),
    ("enlarged", "quickstart", None, "#photo-0&plain=viridis&row=9.2", 1280, 660),
    ("trust", "attributions", "#trust", "", 1280, 1500),
]
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # A desktop's mouse, which buttons wait for before they show.
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
]


def main():
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("screenshots: needs chromium, which opens the report")
    try:
        from PIL import Image
    except ImportError:
        sys.exit("screenshots: needs Pillow (pip install pillow), which makes the pictures small")
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, experiment, section, view, width, height in PICTURES:
        report = OUTPUT / experiment / "report.html"
        if not report.exists():
            print(f"screenshots: no {name}: run experiments/{experiment}.yaml first")
            continue
        with tempfile.TemporaryDirectory() as folder:
            shot = pathlib.Path(folder) / "shot.png"
            page = pathlib.Path(folder) / "page.html"
            alone = f"<style>.bar, #content > :not({section}) {{ display: none!important }}</style>"
            page.write_text(report.read_text() + (alone if section else ""))
            call = [browser, *QUIET, f"--user-data-dir={folder}/profile"]
            call += [f"--window-size={width},{height}", f"--screenshot={shot}"]
            subprocess.run(
                [*call, page.as_uri() + view],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            picture = Image.open(shot).convert("RGB")
            picture = picture.resize((width * 3 // 4, height * 3 // 4), Image.LANCZOS)
            picture.save(IMAGES / f"{name}.jpg", quality=88, subsampling=0)
            print(f"screenshots: docs/images/{name}.jpg")


main()
