# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: where the tree is, how they speak, what MPI needs.
# shellcheck shell=bash
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${RECFLEET_JOBS:-$(nproc)}

# mpirun refuses root, and refuses more ranks than cores, unless told otherwise (Open MPI 5 reads the
# PRTE_ variable, 4 the other). The scripts start all ranks on this machine: they need shared memory
# alone, and looking for fabrics takes most of the time to start. Copying through shared memory is
# faster than the kernel's single copy and works in containers without ptrace.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none

say() { printf '%s\n' "$*" >&2; }
die() {
    say "$(basename "$0"): $*"
    exit 1
}

# HDF5's compiler wrapper splits its arguments at spaces; CMake reads the other characters itself.
odd_characters='[][[:space:]"'"'"'$;*?\\]'
[[ ! $ROOT =~ $odd_characters ]] ||
    die "cannot build in '$ROOT': no path with a space, a quote or one of []\$;*?\\ will do; move the tree"

# drop_moved FOLDER: removes a build folder that was made elsewhere: CMake refuses to use one after the
# tree was moved or copied.
drop_moved() {
    local cache=$1/CMakeCache.txt tree folder
    [ -f "$cache" ] || return 0
    tree=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$cache")
    folder=$(sed -n 's/^CMAKE_CACHEFILE_DIR:INTERNAL=//p' "$cache")
    [ "$tree" -ef "$ROOT" ] && [ "$folder" -ef "$1" ] && return
    say "the tree was moved here from ${tree:-elsewhere}: building $1 anew"
    rm -rf "$1"
}

# build PRESET LOG [TARGET...]: configures and builds; on failure shows the end of the log.
build() {
    local preset=$1 log=$2 targets=()
    shift 2
    [ $# -gt 0 ] && targets=(--target "$@")
    mkdir -p "$(dirname "$log")"
    drop_moved "$ROOT/build/$preset"
    if ! { cmake -S "$ROOT" --preset "$preset" &&
        cmake --build "$ROOT/build/$preset" -j "$JOBS" "${targets[@]}"; } >"$log" 2>&1; then
        grep -E -A5 '(error|Error|FAILED|\*\*\*)' "$log" | head -n 60 >&2
        say "building the preset '$preset' failed; the whole log: $log"
        return 1
    fi
}

# find_python: sets `python`. The system's first: it is the one that sees Debian's h5py.
find_python() {
    for python in /usr/bin/python3 python3; do
        ! "$python" -c 'import h5py' 2>/dev/null || return 0
    done
    die "needs python3 with h5py; scripts/setup.sh test installs it"
}

# tune STUDY NAME [--set ...]: tunes one study with $recfleet, to NAME.h5 in $folder; what it says goes
# to NAME.txt there.
tune() {
    local study=$ROOT/slurm/studies/$1.yaml name=$2 start=$SECONDS
    shift 2
    if ! mpirun -n "$JOBS" "$recfleet" tune "$study" -f -o "$folder/$name.h5" "$@" \
        >"$folder/$name.txt" 2>"$folder/$name.log"; then
        tail -n 5 "$folder/$name.log" >&2
        die "tuning $(basename "$study") failed; what it said: $folder/$name.log"
    fi
    printf '%5d s  %s\n' $((SECONDS - start)) "$(basename "$study")"
}
