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
REPORT = ROOT / "output" / "quickstart" / "report.html"
IMAGES = ROOT / "docs" / "images"
# Name, the one section of the page to show (none: the page from its top), width and height in pixels.
PICTURES = [
    ("opening", None, 1280, 1420),
    ("photo", "#photo-0", 1280, 1780),
    ("filters", "#filters", 1280, 620),
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
]


def main():
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("screenshots: needs chromium, which opens the report")
    try:
        from PIL import Image
    except ImportError:
        sys.exit("screenshots: needs Pillow (pip install pillow), which makes the pictures small")
    if not REPORT.exists():
        sys.exit(f"screenshots: there is no {REPORT.relative_to(ROOT)}; run `make report` first")
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, section, width, height in PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            shot = pathlib.Path(folder) / "shot.png"
            page = pathlib.Path(folder) / "page.html"
            alone = f"<style>nav, #content > :not({section}) {{ display: none }}</style>"
            page.write_text(REPORT.read_text() + (alone if section else ""))
            call = [browser, *QUIET, f"--user-data-dir={folder}/profile"]
            call += [f"--window-size={width},{height}", f"--screenshot={shot}"]
            subprocess.run(
                [*call, page.as_uri()],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            picture = Image.open(shot).convert("RGB")
            picture = picture.resize((width * 3 // 4, height * 3 // 4), Image.LANCZOS)
            picture.save(IMAGES / f"{name}.jpg", quality=88, subsampling=0)
            print(f"screenshots: docs/images/{name}.jpg")


main()
