#!/bin/sh
# Starts evcxr's kernel, with a build folder that no other kernel has at the moment: what one of them
# compiled, the next one finds. The lock is held as long as the kernel runs. Without `flock`, or where
# EVCXR_TMPDIR is set already, evcxr finds its folder by itself.
slot=0
while [ -z "$EVCXR_TMPDIR" ] && [ "$slot" -lt 16 ] && command -v flock >/dev/null; do
  folder="$CONVSCOPE_CACHE/evcxr/$slot"
  mkdir -p "$folder" || break
  exec 9>"$folder.lock"
  if flock -n 9; then
    export EVCXR_TMPDIR="$folder"
  fi
  slot=$((slot + 1))
done
# A cell's library looks for Rust's beside the folder it was built in, and is loaded from another.
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$(rustc --print target-libdir)"
# What a cell depends on compiles sooner when nothing is optimised across a crate's units; reading photos takes
# a little longer for it, and a network's passes do not.
export CARGO_PROFILE_DEV_LTO="${CARGO_PROFILE_DEV_LTO:-off}"
# glibc would give a network's buffers back to the system and ask for them again in every layer.
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-1073741824}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-1073741824}"
exec "$CONVSCOPE_EVCXR" --control_file "$1"
