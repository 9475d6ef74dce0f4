#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pgo.sh: builds build/pgo/src/app/recfleet, a release that gcc lays out by a profile of short runs:
# those of tests/bench and the quickstart's model. Some per cent faster there, results the same to the
# last bit, which it checks against the preset release. Takes a few minutes; needs gcc and h5diff.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

case ${1:-} in
'') ;;
-h | --help) sed -n '3,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
*) die "takes no arguments" ;;
esac
command -v h5diff >/dev/null || die "needs h5diff; scripts/setup.sh test installs it"
tree=$ROOT/build/pgo log=$ROOT/build/pgo.log
bench=$ROOT/tests/bench quickstart=$ROOT/slurm/studies/00-quickstart.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A cache of objects may hand out one that an earlier profile made, or without a counter.
export CCACHE_DISABLE=1

# build_with FLAGS...: as the preset, with other flags where given.
build_with() {
    if ! { cmake -S "$ROOT" --preset pgo "$@" &&
        cmake --build "$tree" --target recfleet -j "$JOBS"; } >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "the build failed; the whole log: $log"
    fi
}

# simulate PROGRAM OUT STUDY [ARGS...]
simulate() {
    "$1" run "$3" "${@:4}" -o "$2" -f -q >"$work/log" 2>&1 || die "$(cat "$work/log")"
}

build release "$ROOT/build/pgo-release.log" recfleet
mkdir -p "$ROOT/build"
drop_moved "$tree"
: >"$log"
build_with -DCMAKE_C_FLAGS_RELEASE="-O3 -DNDEBUG -fprofile-generate"
grep -q '^set(CMAKE_C_COMPILER_ID "GNU")' "$tree"/CMakeFiles/*/CMakeCCompiler.cmake ||
    die "profiles are those of gcc: CC=gcc $0, without $tree"
find "$tree" -name '*.gcda' -delete

counting=$tree/src/app/recfleet
for study in light-random light-power heavy-random heavy-power; do
    simulate "$counting" "$work/train.h5" "$bench/$study.yaml" --set duration=60ms
done
simulate "$counting" "$work/train.h5" "$quickstart" --set duration=30s
[ -n "$(find "$tree" -name '*.gcda' -print -quit)" ] || die "the runs left no profile in $tree"

build_with
for settings in "$bench/heavy-power.yaml --set duration=150ms" "$quickstart --set duration=60s --set seed=2"; do
    # shellcheck disable=SC2086
    simulate "$ROOT/build/release/src/app/recfleet" "$work/release.h5" $settings
    # shellcheck disable=SC2086
    simulate "$tree/src/app/recfleet" "$work/pgo.h5" $settings
    h5diff -q --exclude-path /run "$work/release.h5" "$work/pgo.h5" ||
        die "results differ from the preset release's: $settings"
done
say "$tree/src/app/recfleet: results as those of the preset release"
