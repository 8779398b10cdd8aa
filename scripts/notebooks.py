#!/usr/bin/env python3
"""Runs the example notebooks in the real kernel, and looks into what comes out.

Each notebook below experiments/notebooks is executed by nbclient in the kernel that `convscope kernel
install` makes, which goes into a folder of its own and not among the user's kernels. A cell that fails
fails the script; and so does a notebook without a report, a picture or a table in its outputs, or one that
has grown too large for a repository.

    notebooks.py [NOTEBOOK …]           run, look, and write nothing
    notebooks.py --write [NOTEBOOK …]   also put the outputs into the notebooks
    notebooks.py --stored [NOTEBOOK …]  run nothing: look into what the notebooks hold

What the kernel compiles stays in the cache (about five minutes on two cores the first time, half a minute
afterwards). Where evcxr_jupyter or nbclient is absent, a line says so and nothing fails; `--must` makes
that a failure.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "experiments" / "notebooks"
# One build folder, below the cache's evcxr, for all runs of this script, in which one kernel works at a time.
BUILDS = "notebooks"
# A code host shows a notebook of this size, and a repository bears it.
LARGEST = 1_500_000
# The first cell compiles everything, on a machine that may have other work.
SECONDS = 3000


def cache_folder():
    """The same folder as `convscope` itself uses (src/fetch/cache.rs)."""
    named = os.environ.get("CONVSCOPE_CACHE")
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "convscope"


def absent(arguments):
    """What is missing to run notebooks, in a line; None if nothing is."""
    try:
        import nbclient  # noqa: F401
        import nbformat  # noqa: F401
    except ImportError:
        return "nbclient is not installed (python3 -m pip install nbclient)"
    cargo = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    program = arguments.evcxr or shutil.which("evcxr_jupyter") or str(cargo / "bin" / "evcxr_jupyter")
    if not os.access(program, os.X_OK):
        return "evcxr_jupyter is not installed (cargo install evcxr_jupyter --version '^0.22' --locked)"
    arguments.evcxr = program
    return None


def install(arguments, data):
    """The kernel, in Jupyter's data folder `data`, as a user would get it."""
    script = ["sh", str(ROOT / "scripts" / "install-kernel.sh"), BUILDS]
    call = [arguments.binary, "kernel", "install"] if arguments.binary else script
    call += ["--dir", str(data), "--evcxr", arguments.evcxr]
    print("notebooks: installing the kernel (builds convscope where it is not built: some minutes)", flush=True)
    subprocess.run(call, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def execute(path):
    """The notebook with the outputs of its cells; fails where a cell does."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="convscope",
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        sys.exit(f"notebooks: {path.name}: a cell failed\n{error}")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # When it ran is nobody's business, and changes with every run.
            cell.metadata.pop("execution", None)
    return notebook


def look(path, notebook):
    """What is wrong with an executed notebook, as lines."""
    wrong = []
    outputs = [o for c in notebook["cells"] if c["cell_type"] == "code" for o in c["outputs"]]
    text = lambda value: "".join(value) if isinstance(value, list) else value
    pages = [text(o["data"]["text/html"]) for o in outputs if "text/html" in o.get("data", {})]
    for output in outputs:
        if output["output_type"] == "error":
            wrong.append(f"a cell failed: {output.get('ename')}: {output.get('evalue')}")
        # A `?` that ends on an error prints it and goes on.
        if output["output_type"] == "stream" and output["name"] == "stderr":
            wrong.append(f"a cell printed on stderr: {text(output['text'])[:400]}")
    if not any("srcdoc=" in page and "onload=" in page for page in pages):
        wrong.append("no report in a frame")
    for what, mark in [("photo", "data:image/jpeg;base64,"), ("map", "data:image/png;base64,")]:
        if not any(mark in page and "srcdoc=" not in page for page in pages):
            wrong.append(f"no {what} as a picture")
    if not any("<table" in page and "srcdoc=" not in page for page in pages):
        wrong.append("no table")
    for output in outputs:
        shown = text(output.get("data", {}).get("text/plain", ""))
        if shown and "text/html" not in output["data"]:
            wrong.append(f"an output of text alone: {shown[:200]}")
    for page in pages:
        # What a frame holds is escaped, so these would be the page's own.
        if re.search(r"<style|<script|<link|\sid=", re.sub(r'srcdoc="[^"]*"', "", page)):
            wrong.append("a style sheet, a script or an id that the notebook's page would feel")
    for output in outputs:
        data = output.get("data", {})
        if "text/html" in data and "text/plain" not in data:
            wrong.append("an output without a text form")
    size = len(json.dumps(notebook, ensure_ascii=False).encode())
    if size > LARGEST:
        wrong.append(f"{size} bytes, and at most {LARGEST} are kept")
    print(f"notebooks: {path.name}: {len(outputs)} outputs, {size // 1000} kB", flush=True)
    return [f"{path.name}: {line}" for line in wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="put the outputs into the notebooks")
    parser.add_argument("--stored", action="store_true", help="only look into the notebooks as they are")
    parser.add_argument("--must", action="store_true", help="fail where something is missing")
    parser.add_argument("--binary", help="the convscope program; by default cargo builds it")
    parser.add_argument("--evcxr", help="the program evcxr_jupyter; by default the one on the PATH")
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the executed notebooks")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.notebooks] or sorted(FOLDER.glob("*.ipynb"))
    wrong = []
    if arguments.stored:
        for path in paths:
            wrong += look(path, json.loads(path.read_text()))
        sys.exit("notebooks: " + "\nnotebooks: ".join(wrong) if wrong else 0)
    missing = absent(arguments)
    if missing:
        print(f"notebooks: skipped, {missing}")
        sys.exit(1 if arguments.must else 0)
    import nbformat

    builds = cache_folder() / "evcxr" / BUILDS
    builds.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        install(arguments, pathlib.Path(data))
        os.environ["JUPYTER_DATA_DIR"] = data
        os.environ["EVCXR_TMPDIR"] = str(builds)
        for path in paths:
            print(f"notebooks: {path.name} …", flush=True)
            notebook = execute(path)
            wrong += look(path, notebook)
            places = [path] if arguments.write else []
            if arguments.out:
                arguments.out.mkdir(parents=True, exist_ok=True)
                places.append(arguments.out / path.name)
            for place in places:
                nbformat.write(notebook, place)
    sys.exit("notebooks: " + "\nnotebooks: ".join(wrong) if wrong else 0)


main()
