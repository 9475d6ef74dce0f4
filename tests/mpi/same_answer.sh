#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# One study on 1, 2, 3, 5 and 8 ranks, with a shortened window and with every layout: the files must
# be the same outside /run. A run without mpirun is what they are compared with. With --deep every
# byte of them is compared, also by h5diff, in place of their digests.
#
# usage: same_answer.sh [--deep] RECFLEET MPIEXEC PYTHON STUDY SHORT_WINDOW [SETTING=VALUE ...]
set -u
deep=()
[ "${1:-}" = --deep ] && { deep=(--deep); shift; }
[ $# -ge 5 ] || { sed -n '7s/^# //p' "$0"; exit 2; }
recfleet=$1 mpiexec=$2 python=$3 study=$4 short=$5
shift 5
settings=()
for s in "$@"; do settings+=(--set "$s"); done
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

run() { # RANKS NAME [OPTIONS]: RANKS 0 is without mpirun
    local n=$1 name=$2
    shift 2
    local start=()
    [ "$n" -gt 0 ] && start=("$mpiexec" -n "$n")
    if ! "${start[@]}" "$recfleet" run "$study" -q -o "$dir/$name.h5" "${settings[@]}" "$@" \
         > "$dir/log" 2>&1; then
        echo "FAILED $name:"; cat "$dir/log"
        exit 1
    fi
}

same() { # NAME: 0 when no comparison sees a difference
    if [ ${#deep[@]} -gt 0 ]; then
        h5diff --exclude-path /run "$dir/base.h5" "$dir/$1.h5" > "$dir/h5diff" 2>&1 || return 1
    fi
    "$python" "$here/compare_results.py" "${deep[@]}" "$dir/base.h5" "$dir/$1.h5" \
        > "$dir/differences" 2>&1
}

expect_same() {
    if same "$1"; then
        echo "same       $1"
    else
        echo "DIFFERENT  $1"; head -5 "$dir/h5diff" "$dir/differences" 2> /dev/null
        failed=1
    fi
    rm -f "$dir/$1.h5"
}

# Every number of ranks, every layout and both windows, in as few runs as hold them all.
run 0 base
run 0 short-window --window "$short"
expect_same short-window
run 1 1-rank
expect_same 1-rank
run 2 2-ranks-apart --layout apart
expect_same 2-ranks-apart
run 3 3-ranks-short-window --window "$short"
expect_same 3-ranks-short-window
run 5 5-ranks-spread --layout spread
expect_same 5-ranks-spread
run 8 8-ranks-apart-short-window --layout apart --window "$short"
expect_same 8-ranks-apart-short-window

# The comparison itself must be able to tell: each half of it sees another seed.
run 0 other-seed --set seed=4711
if "$python" "$here/compare_results.py" "${deep[@]}" "$dir/base.h5" "$dir/other-seed.h5" \
       > /dev/null ||
   { [ ${#deep[@]} -gt 0 ] &&
     h5diff --exclude-path /run "$dir/base.h5" "$dir/other-seed.h5" > /dev/null 2>&1; }; then
    echo "FAILED: another seed is not told apart"
    failed=1
fi
exit $failed
