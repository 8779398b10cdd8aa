#!/usr/bin/env python3
"""Runs the example notebooks in the real kernel and checks their outputs.

Each notebook below experiments/notebooks is executed by nbclient in the kernel that `convscope kernel
install` makes. The kernel is installed into a temporary folder, separate from the user's kernels. The script fails if a
cell fails, if a notebook's outputs lack a report, an image or a table, or if a notebook is too large for a
repository.

    notebooks.py [NOTEBOOK …]           run and check
    notebooks.py --write [NOTEBOOK …]   run, check, and store the outputs in the notebooks
    notebooks.py --stored [NOTEBOOK …]  check the stored outputs without running anything

The kernel's compiled crates are cached (about five minutes on two cores the first time, half a minute
afterwards). If evcxr_jupyter or nbclient is missing, the script prints that it is skipped; with `--must` it
fails.
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
# The build folder of this script's kernels, below the cache's evcxr.
BUILDS = "notebooks"
# The largest notebook in bytes that code hosts show.
MAX_BYTES = 1_500_000
# The longest time of a cell: the first one compiles everything.
TIMEOUT_SECONDS = 3000


def cache_folder():
    """The same folder as `convscope` itself uses (src/fetch/cache.rs)."""
    named = os.environ.get("CONVSCOPE_CACHE")
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "convscope"


def find_missing(arguments):
    """A line that names the missing requirement for running notebooks; None if there is none."""
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
    """Installs the kernel into Jupyter's data folder `data`, as a user would."""
    script = ["sh", str(ROOT / "scripts" / "install-kernel.sh"), BUILDS]
    call = [arguments.binary, "kernel", "install"] if arguments.binary else script
    call += ["--dir", str(data), "--evcxr", arguments.evcxr]
    print("notebooks: installing the kernel (builds convscope first if needed: some minutes)", flush=True)
    subprocess.run(call, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def execute(path):
    """The notebook with the outputs of its cells. Exits if a cell fails."""
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=TIMEOUT_SECONDS,
        kernel_name="convscope",
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        sys.exit(f"notebooks: {path.name}: a cell failed\n{error}")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # The time of execution changes with every run.
            cell.metadata.pop("execution", None)
    return notebook


def find_problems(path, notebook):
    """The problems of an executed notebook, one line each."""
    problems = []
    outputs = [o for c in notebook["cells"] if c["cell_type"] == "code" for o in c["outputs"]]
    text = lambda value: "".join(value) if isinstance(value, list) else value
    pages = [text(o["data"]["text/html"]) for o in outputs if "text/html" in o.get("data", {})]
    for output in outputs:
        if output["output_type"] == "error":
            problems.append(f"a cell failed: {output.get('ename')}: {output.get('evalue')}")
        # A `?` on an error prints it, and the notebook continues.
        if output["output_type"] == "stream" and output["name"] == "stderr":
            problems.append(f"a cell printed on stderr: {text(output['text'])[:400]}")
    if not any("srcdoc=" in page and "onload=" in page for page in pages):
        problems.append("no report in an iframe")
    for what, mark in [("photo", "data:image/jpeg;base64,"), ("map", "data:image/png;base64,")]:
        if not any(mark in page and "srcdoc=" not in page for page in pages):
            problems.append(f"no {what} as an image")
    if not any("<table" in page and "srcdoc=" not in page for page in pages):
        problems.append("no table")
    for output in outputs:
        shown = text(output.get("data", {}).get("text/plain", ""))
        if shown and "text/html" not in output["data"]:
            problems.append(f"an output of text only: {shown[:200]}")
    for page in pages:
        # The content of an iframe is escaped, so a match would be outside of it.
        if re.search(r"<style|<script|<link|\sid=", re.sub(r'srcdoc="[^"]*"', "", page)):
            problems.append("a style sheet, a script or an id outside of the iframe")
    for output in outputs:
        data = output.get("data", {})
        if "text/html" in data and "text/plain" not in data:
            problems.append("an output without a text form")
    size = len(json.dumps(notebook, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        problems.append(f"{size} bytes; at most {MAX_BYTES} are allowed")
    print(f"notebooks: {path.name}: {len(outputs)} outputs, {size // 1000} kB", flush=True)
    return [f"{path.name}: {line}" for line in problems]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="store the outputs in the notebooks")
    parser.add_argument("--stored", action="store_true", help="check the stored outputs without running anything")
    parser.add_argument("--must", action="store_true", help="fail if something is missing")
    parser.add_argument("--binary", help="the convscope program; by default cargo builds it")
    parser.add_argument("--evcxr", help="the program evcxr_jupyter; by default the one on the PATH")
    parser.add_argument("--out", type=pathlib.Path, help="a folder for the executed notebooks")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in arguments.notebooks] or sorted(FOLDER.glob("*.ipynb"))
    problems = []
    if arguments.stored:
        for path in paths:
            problems += find_problems(path, json.loads(path.read_text()))
        sys.exit("notebooks: " + "\nnotebooks: ".join(problems) if problems else 0)
    missing = find_missing(arguments)
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
            problems += find_problems(path, notebook)
            targets = [path] if arguments.write else []
            if arguments.out:
                arguments.out.mkdir(parents=True, exist_ok=True)
                targets.append(arguments.out / path.name)
            for target in targets:
                nbformat.write(notebook, target)
    sys.exit("notebooks: " + "\nnotebooks: ".join(problems) if problems else 0)


main()
