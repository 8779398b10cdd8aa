# The targets a newcomer types, and the same that CI calls.
.PHONY: libtorch test lint

libtorch:
	@command -v cargo >/dev/null || { echo "convscope needs Rust (cargo), which builds it"; exit 1; }
	@command -v python3 >/dev/null || { echo "convscope needs Python 3 with pip, which brings libtorch"; exit 1; }
	@python3 scripts/libtorch.py

test: libtorch
	cargo test

lint: libtorch
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
