#!/bin/sh
# Starts evcxr's kernel with a build folder that no other kernel uses at the moment. Compiled crates stay in it for
# the next kernel. The lock is held as long as the kernel runs. Without `flock`, or if EVCXR_TMPDIR is set, evcxr
# chooses the folder.
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
# A cell's library is loaded from another folder than it was built in, so that its relative path to Rust's standard
# library is wrong.
export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$(rustc --print target-libdir)"
# Dependencies compile faster without optimisation across a crate's codegen units. Decoding images becomes a little
# slower; forward and backward passes don't.
export CARGO_PROFILE_DEV_LTO="${CARGO_PROFILE_DEV_LTO:-off}"
# Otherwise glibc returns a network's buffers to the system and requests them again in every layer.
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-1073741824}"
export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-1073741824}"
exec "$CONVSCOPE_EVCXR" --control_file "$1"
