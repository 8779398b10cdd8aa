#!/bin/sh
# Runs `convscope kernel …`, and builds convscope for it where nothing is built yet: kernel.sh SLOT ARGUMENT…
#
# A kernel compiles convscope's dependencies for its cells, which takes as long as the program does. So from nothing
# the program is built in the kernel's own folder (SLOT below the cache's evcxr/) and just as evcxr builds what
# a cell depends on, and the kernel finds everything but convscope itself compiled. Should evcxr build
# otherwise one day, the kernel compiles what it misses.
set -eu
slot=$1
shift
if [ -x target/debug/convscope ]; then
  exec cargo run --quiet -- kernel "$@"
fi
builds="${CONVSCOPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/convscope}/evcxr/$slot"
mkdir -p "$builds"
# The versions that are tested; without them the kernel would look for the newest.
[ -e "$builds/Cargo.lock" ] || cp Cargo.lock "$builds/Cargo.lock"
export RUSTFLAGS=-Cprefer-dynamic
export CARGO_PROFILE_DEV_OPT_LEVEL=2
export CARGO_PROFILE_DEV_STRIP=debuginfo
export CARGO_PROFILE_DEV_RPATH=true
export CARGO_PROFILE_DEV_CODEGEN_UNITS=16
export CARGO_PROFILE_DEV_INCREMENTAL=true
host=$(rustc -vV | sed -n 's/^host: //p')
exec cargo run --quiet --target "$host" --target-dir "$builds/target" -- kernel "$@"
