#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# instructions.sh RECFLEET COMPILER [FILE]: instructions per simulated query on the hot path, held
# against instructions.txt beside this script; with FILE, written there instead.
#
# RECFLEET is a program built with the preset bench, COMPILER what built it ("GNU 12.2.0").
# Instructions are counted inside balancer_step() alone: on one rank that is every query from its
# draw to its record, without what a run costs once. Valgrind knows no AVX-512, so this is the AVX2
# path. Exits with 1 above a limit, with 77 where the limits say nothing.
set -euo pipefail

program=$1 compiler=$2 update=${3:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
limits=$here/instructions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "skipped: $*"
    exit 77
}
command -v valgrind >/dev/null || skip "valgrind is not installed"
grep -qw avx2 /proc/cpuinfo || skip "the limits are those of the AVX2 kernel, which cannot run here"
if [ -z "$update" ]; then
    counted=$(sed -n 's/^# compiler: //p' "$limits")
    [ "$compiler" = "$counted" ] || skip "the limits are those of $counted, this is $compiler"
fi

# count STUDY SERVERS: instructions per query over some 1e5 queries.
count() {
    local rate out=$work/$1-$2
    rate=$(sed -n 's/^ *rate: *\([0-9.]*\)qps.*/\1/p' "$here/$1.yaml")
    rate=$(awk "BEGIN { printf \"%.6f\", $rate * $2 / 1000 }")
    valgrind --tool=callgrind --toggle-collect=balancer_step --callgrind-out-file="$out.callgrind" \
        "$program" run "$here/$1.yaml" -o "$out.h5" --set bins=2 --set warmup=0s \
        --set "fleet.groups[0].servers=$2" --set "traffic[0].rate=${rate}qps" \
        --set "duration=$((14000000 / $2))us" >"$out.log" 2>&1 ||
        { cat "$out.log" >&2; return 1; }
    instructions=$(sed -n 's/^summary: //p' "$out.callgrind")
    queries=$(sed -n 's/^\([0-9]*\) queries simulated in.*/\1/p' "$out.log")
    awk -v i="$instructions" -v q="$queries" 'BEGIN {
        if (i + 0 == 0 || q < 50000) { print "no count: is balancer_step() still there?"; exit 1 }
        printf "%.1f\n", i / q }' >"$out.count" || { cat "$out.count" >&2; return 1; }
}

if [ -n "$update" ]; then
    {
        echo "# SPDX-License-Identifier: Apache-2.0"
        echo "# Instructions per simulated query, by tests/bench/update.sh; a test allows 5 % more."
        echo "# compiler: $compiler"
        echo "# study servers instructions"
    } >"$work/limits"
fi

# judge STUDY SERVERS NOW: says how NOW stands to its limit.
judge() {
    awk -v study="$1" -v servers="$2" -v now="$3" '
        $1 == study && $2 == servers { limit = $3 }
        END {
            if (!limit) { print study, servers ": no limit in instructions.txt"; exit 1 }
            change = 100 * (now / limit - 1)
            verdict = change > 5 ? "FAILED, more than 5 % above" : "ok"
            if (change < -5) verdict = "ok; tests/bench/update.sh would hold it there"
            printf "%s S=%s: %.1f instructions per query, %+.1f %% of %.1f: %s\n", study, servers,
                   now, change, limit, verdict
            exit change > 5
        }' "$limits"
}

cases=("light-random 16" "light-random 1000" "light-power 1000")
pids=()
for case in "${cases[@]}"; do
    # shellcheck disable=SC2086
    count $case &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || exit 1
done
status=0
for case in "${cases[@]}"; do
    now=$(cat "$work/${case/ /-}.count")
    if [ -n "$update" ]; then
        echo "$case $now" | tee -a "$work/limits"
    else
        # shellcheck disable=SC2086
        judge $case "$now" || status=1
    fi
done
[ -z "$update" ] || cp "$work/limits" "$update"
exit $status
