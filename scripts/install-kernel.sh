#!/bin/sh
# Runs `convscope kernel install`; builds convscope if it is not built: install-kernel.sh SLOT OPTION…
#
# If nothing is built, it first builds the dependencies of a notebook's cells (the library with the feature `fetch`,
# without the command line) in the kernel's build folder (SLOT below the cache's evcxr/) and with evcxr's settings, so
# that the first cell does not compile them; then the program, in the same folder. evcxr resolves the newest versions: a
# crate with a newer version than in Cargo.lock is compiled again by the first cell. So is everything if evcxr changes
# its settings.
set -eu
slot=$1
shift
if [ -x target/debug/convscope ]; then
  exec cargo run --quiet -- kernel install "$@"
fi
builds="${CONVSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/convscope}/evcxr/$slot"
mkdir -p "$builds"
export RUSTFLAGS=-Cprefer-dynamic
export CARGO_PROFILE_DEV_OPT_LEVEL=2
# This one is the kernel's setting (src/cli/kernel/start_kernel.sh), the others are evcxr's.
export CARGO_PROFILE_DEV_LTO=off
export CARGO_PROFILE_DEV_STRIP=debuginfo
export CARGO_PROFILE_DEV_RPATH=true
export CARGO_PROFILE_DEV_CODEGEN_UNITS=16
export CARGO_PROFILE_DEV_INCREMENTAL=true
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --quiet --target "$host" --target-dir "$builds/target" --lib --no-default-features --features fetch
exec cargo run --quiet --target "$host" --target-dir "$builds/target" -- kernel install "$@"
