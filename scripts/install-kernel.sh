#!/bin/sh
# Runs `convscope kernel install`, and builds convscope for it where nothing is built yet: install-kernel.sh SLOT OPTION…
#
# A kernel compiles convscope's dependencies for its cells, which takes as long as the program does. So from nothing
# the program is built in the kernel's own folder (SLOT below the cache's evcxr/) and just as evcxr builds what
# a cell depends on, and the kernel finds compiled what has no newer version than
# Cargo.lock says (evcxr looks for the newest). Should evcxr build otherwise one day, the kernel compiles what it misses.
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
# Not evcxr's, but the kernel's (src/cli/kernel.sh).
export CARGO_PROFILE_DEV_LTO=off
export CARGO_PROFILE_DEV_STRIP=debuginfo
export CARGO_PROFILE_DEV_RPATH=true
export CARGO_PROFILE_DEV_CODEGEN_UNITS=16
export CARGO_PROFILE_DEV_INCREMENTAL=true
host=$(rustc -vV | sed -n 's/^host: //p')
exec cargo run --quiet --target "$host" --target-dir "$builds/target" -- kernel install "$@"
