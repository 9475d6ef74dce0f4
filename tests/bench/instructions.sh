#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# instructions.sh RECFLEET COMPILER [FILE]: instructions per simulated query on the hot path, held
# against instructions.txt beside this script; with FILE, written there instead.
#
# RECFLEET is a program built with the preset bench, COMPILER what built it ("GNU 12.2.0").
# Each study is run twice on one rank, over one and over three spans of time, and the instructions
# inside run_fleet() are counted: the difference is the whole event loop for two more spans, from a
# query's draw to its record, with turns, windows and folds, and nothing that a run costs once.
# In an overload it is also how they grow with time, and whether check foresees it.
# Valgrind knows no AVX-512, so this is the AVX2 path. Exits with 1 above a limit, with 77 where the
# limits say nothing.
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

# run STUDY SPAN_US: runs it for that long; leaves "instructions queries".
run() {
    local study=$here/$1.yaml out=$work/$1-$2
    [ "$1" != quickstart ] || study=$here/../../slurm/studies/00-quickstart.yaml
    valgrind --tool=callgrind --toggle-collect=run_fleet --callgrind-out-file="$out.callgrind" \
        "$program" run "$study" -o "$out.h5" --set bins=2 --set warmup=0s --set "duration=$2us" \
        >"$out.log" 2>&1 || { cat "$out.log" >&2; return 1; }
    echo "$(sed -n 's/^summary: //p' "$out.callgrind")" \
        "$(sed -n 's/^\([0-9]*\) queries simulated in.*/\1/p' "$out.log")" >"$out.count"
}

# count STUDY SPAN_US: instructions per query over two spans, some 1e5 queries.
count() {
    run "$1" "$2" && run "$1" $((3 * $2)) || return 1
    cat "$work/$1-$2.count" "$work/$1-$((3 * $2)).count" | awk '
        { i = $1 - last_i; q = $2 - last_q; last_i = $1; last_q = $2 }
        END {
            if (NR != 2 || i <= 0 || q < 50000) {
                print "no count: is run_fleet() still there?" > "/dev/stderr"
                exit 1
            }
            printf "%.1f\n", i / q
        }' >"$work/$1.count"
}

if [ -n "$update" ]; then
    {
        echo "# SPDX-License-Identifier: Apache-2.0"
        echo "# Instructions per simulated query, by tests/bench/update.sh; a test allows 1 % more."
        echo "# compiler: $compiler"
        echo "# study instructions"
    } >"$work/limits"
fi

# judge STUDY NOW: says how NOW compares with its limit.
judge() {
    awk -v study="$1" -v now="$2" '
        $1 == study { limit = $2 }
        END {
            if (!limit) { print study ": no limit in instructions.txt"; exit 1 }
            change = 100 * (now / limit - 1)
            verdict = change > 1 ? "FAILED, more than 1 % above" : "ok"
            if (change < -1) verdict = "ok; tests/bench/update.sh would hold it there"
            printf "%s: %.1f instructions per query, %+.1f %% of %.1f: %s\n", study, now, change,
                   limit, verdict
            exit change > 1
        }' "$limits"
}

# Instructions of an overload of half a second and of a whole one, and what check says of it: twice
# the time is twice the work (2.2 at most; it was once its square), and check is right within a
# factor of 2. Its seconds are compared with instructions at what light-power takes of both, about
# 654 in 60 ns.
instructions_per_ns=10.9
judge_overload() {
    local check
    check=$("$program" check "$here/overload.yaml" --set duration=1600s 2>"$work/check.log") ||
        { cat "$work/check.log" >&2; return 1; }
    { cat "$work/overload-500000.count" "$work/overload-1000000.count"; echo "$check"; } |
        awk -v per_ns="$instructions_per_ns" '
        NR == 1 { half = $1 }
        NR == 2 { whole = $1; queries = $2 }
        /^about .* million queries in .* min:s on one core/ {
            match($0, /[0-9]+:[0-9]+ min:s/)
            split(substr($0, RSTART, RLENGTH), clock, /[: ]/)
            said_ns = 1000 * (60 * clock[1] + clock[2]) / $2
        }
        END {
            if (!(half > 0) || !(said_ns > 0)) {
                print "no count of an overload"
                exit 1
            }
            ns = whole / queries / per_ns
            linear = whole / half <= 2.2
            right = said_ns <= 2 * ns && said_ns >= ns / 2
            printf "overload: twice the time is %.2f times the work: %s\n", whole / half,
                   linear ? "ok" : "FAILED, more than 2.2"
            printf "overload: %.0f ns per query, check says %.0f: %s\n", ns, said_ns,
                   right ? "ok" : "FAILED, not within a factor of 2"
            exit !(linear && right)
        }'
}

# Queries short and long, any server (random) or the less loaded of two (power), servers in many
# groups, and the model that a newcomer runs first; each with a span of some 5e4 queries.
cases=("light-random 7000" "light-power 7000" "light-groups 7000" "heavy-random 6000"
    "heavy-power 6000" "quickstart 5000000")
pids=()
for case in "${cases[@]}"; do
    # shellcheck disable=SC2086
    count $case &
    pids+=($!)
done
for span_us in 500000 1000000; do
    run overload "$span_us" &
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid" || exit 1
done
status=0
for case in "${cases[@]}"; do
    study=${case% *}
    now=$(cat "$work/$study.count")
    if [ -n "$update" ]; then
        echo "$study $now" | tee -a "$work/limits"
    else
        judge "$study" "$now" || status=1
    fi
done
[ -n "$update" ] || judge_overload || status=1
[ -z "$update" ] || cp "$work/limits" "$update"
exit $status
