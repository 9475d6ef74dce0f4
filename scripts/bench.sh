#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [--quick] [-n PAIRS] [-B BUILD] [--loop DIR]: how fast recfleet is, as ratios taken in one
# go on one machine, held against the bars of docs/performance.md. Ends with a table in Markdown;
# exits with 1 when a bar is missed.
#
#   --quick      5e6 queries a run instead of 2e7, 3 pairs instead of 7
#   -n PAIRS     runs per figure
#   -B BUILD     a build folder of type Release instead of build/release
#   --loop DIR   where minloop.c is, the hand-written loop of the same workload; also
#                RECFLEET_LOOP_DIR. Left out: the folder bench/ of a folder beside this tree. It is no
#                part of the tree; without it the ratios to it are left out.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

n_queries=20000000 n_pairs='' quick=0 build_dir='' loop_dir=${RECFLEET_LOOP_DIR:-}
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    -n) [ $# -ge 2 ] || usage 2 >&2; n_pairs=$2; shift ;;
    -B) [ $# -ge 2 ] || usage 2 >&2; build_dir=$2; shift ;;
    --loop) [ $# -ge 2 ] || usage 2 >&2; loop_dir=$2; shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
[ "$quick" = 0 ] || n_queries=5000000
[ -n "$n_pairs" ] || n_pairs=$((quick ? 3 : 7))
[[ $n_pairs =~ ^[1-9][0-9]*$ ]] || die "-n $n_pairs: expected a whole number above 0"
for tool in h5dump python3 taskset awk; do
    command -v $tool >/dev/null || die "needs $tool; scripts/setup.sh test installs it"
done

studies=$ROOT/tests/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rows=() misses=0

# ---- what is measured ---------------------------------------------------------------------------

build_recfleet() {
    if [ -z "$build_dir" ]; then
        build release "$ROOT/build/bench-release.log" recfleet || exit 1
        build_dir=$ROOT/build/release
    else
        grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=Release$' "$build_dir/CMakeCache.txt" ||
            die "$build_dir is not of type Release"
        cmake --build "$build_dir" --target recfleet -j "$JOBS" >"$work/build.log" 2>&1 ||
            die "$(tail -n 20 "$work/build.log")"
    fi
    recfleet=$build_dir/src/app/recfleet
}

# The loop in its fastest form for this machine: 32-bit ticks in AVX-512 lanes, else a sorted ring.
build_loop() {
    local dir
    if [ -z "$loop_dir" ]; then
        for dir in "$ROOT"/../*/bench; do
            [ ! -e "$dir/minloop.c" ] || loop_dir=$dir
        done
    fi
    if [ ! -e "$loop_dir/minloop.c" ]; then
        say "no hand-written loop (${loop_dir:-no folder beside this tree has bench/minloop.c});" \
            "recfleet's own figures only"
        loop=''
        return
    fi
    structure=1
    ! grep -qw avx512f /proc/cpuinfo || structure=9
    loop=$work/minloop
    gcc -O3 -march=native -ffast-math -DST=$structure "$loop_dir/minloop.c" -o "$loop" -lm
}

# The cores this process may use, one a line.
cores() {
    awk '/^Cpus_allowed_list:/ {
        n = split($2, spans, ",")
        for (i = 1; i <= n; i++) {
            m = split(spans[i], ends, "-")
            for (c = ends[1]; c <= ends[m]; c++) print c
        }
    }' /proc/self/status
}

# ---- one run ------------------------------------------------------------------------------------

# calc EXPRESSION: a number.
calc() { awk "BEGIN { printf \"%.10g\n\", $1 }"; }

# settings STUDY SERVERS QUERIES: the rate that loads so many servers as the study does its 1000, and
# the time in which so many queries come.
settings() {
    local rate
    rate=$(sed -n 's/^ *rate: *\([0-9.]*\)qps.*/\1/p' "$studies/$1.yaml")
    rate=$(calc "$rate * $2 / 1000")
    printf '%s\n' --set "fleet.groups[0].servers=$2" --set "traffic[0].rate=${rate}qps" \
        --set "duration=$(calc "$3 / $rate")s"
}

# number FILE -a ATTRIBUTE | -d DATASET [N]: the first or N-th number of a results file.
number() {
    h5dump -y -A 0 -m %.10g "$2" "$3" "$1" |
        awk -v want="${4:-1}" '/^ *-?[0-9.]+(e[-+][0-9]+)?,?$/ && ++n == want { print $1 }' | tr -d ,
}

# run_recfleet CORE STUDY SERVERS QUERIES [ARGS...]: leaves $work/CORE.h5. Everything a study collects
# by default is collected: histograms, bins, servers, the sample, the file.
run_recfleet() {
    local core=$1 args
    mapfile -t args < <(settings "$2" "$3" "$4")
    taskset -c "$core" "$recfleet" run "$studies/$2.yaml" "${args[@]}" -o "$work/$core.h5" -f \
        "${@:5}" >"$work/$core.log" 2>&1 || die "$(cat "$work/$core.log")"
}

# Simulated queries per wall second of the event loop, as recfleet itself reports them.
rate_of() { number "$work/$1.h5" -a /run/queries_per_wall_s; }

run_loop() { # CASE BATCH POLICY SERVERS
    taskset -c "${core[0]}" "$loop" "$1" "$2" "$3" "$4" "$n_queries" >"$work/loop.log"
}
loop_field() { sed -n "s|.* $1=\([^ ]*\).*|\1|p" "$work/loop.log"; }

# ---- statistics and the table -------------------------------------------------------------------

# spread FORMAT: of the numbers on stdin, one a line, "median (min .. max)".
spread() {
    sort -g | awk -v f="$1" '{ x[NR] = $1 } END {
        m = NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2
        printf f " (" f " .. " f ")", m, x[1], x[NR] }'
}

# row WHAT FIGURE BAR VERDICT
row() {
    set -- "$1" "$2" "${3:--}" "$4"
    rows+=("| $1 | $2 | $3 | $4 |")
    say "$1: $2  [$3: $4]"
}

# judge FIGURE RELATION BAR: "met" or "MISSED", of the first word of FIGURE.
judge() {
    if awk "BEGIN { exit !(${1%% *} $2 $3) }"; then verdict=met; else
        verdict=MISSED misses=$((misses + 1))
    fi
}

# ---- recfleet beside the loop -------------------------------------------------------------------

# The two must simulate the same thing. With two choices recfleet's p95 holds the dispatch delay of
# 50 us, and its balancer hears of completions late, which the loop's does not.
check_same() { # WHAT POLICY
    local ours theirs delay_ms=0 tolerance=0.02
    [ "$2" = r ] || delay_ms=0.05 tolerance=0.04
    ours=$(calc "1000 * $(number "$work/${core[0]}.h5" -d /summary/latency_s 3)") # p50, p90, p95
    theirs=$(loop_field p95)
    awk "BEGIN { d = ($ours - $delay_ms) / $theirs - 1; exit !(d * d < $tolerance ^ 2) }" ||
        die "$1: p95 is $ours ms here and $theirs ms in the loop: not the same workload"
}

# pairs STUDY CASE BATCH POLICY SERVERS BAR: both, in turn, on one core; BAR -: for information.
pairs() {
    local i what="$2 $4, S = $5" verdict=-
    : >"$work/ratios"
    : >"$work/rates"
    for ((i = 0; i < n_pairs; i++)); do
        # Each goes first in every other pair, so that a drift of the machine favours neither.
        [ -z "$loop" ] || ((i % 2)) || run_loop "$2" "$3" "$4" "$5"
        run_recfleet "${core[0]}" "$1" "$5" "$n_queries"
        [ -z "$loop" ] || ((i % 2 == 0)) || run_loop "$2" "$3" "$4" "$5"
        rate_of "${core[0]}" >>"$work/rates"
        [ -z "$loop" ] || calc "$(rate_of "${core[0]}") / $(loop_field q/s)" >>"$work/ratios"
    done
    local rates ratios
    rates=$(awk '{ print $1 / 1e6 }' "$work/rates" | spread %.2f)
    if [ -z "$loop" ]; then
        row "$what" "$rates M queries/s" "-" "-"
        return
    fi
    check_same "$what" "$4"
    ratios=$(spread %.3f <"$work/ratios")
    [ "$6" = - ] || judge "$ratios" '>=' "$6"
    row "$what, queries/s over the loop's" "$ratios; $rates M queries/s" \
        "$([ "$6" = - ] || echo "at least $6, aim 0.5")" "$verdict"
}

# ---- many servers -------------------------------------------------------------------------------

# Never with fewer than 2e7 queries: at S = 100000 those are 28 ms of simulated time, and a file has
# its 60 time bins however short they are.
many_servers() {
    local i few many ratios verdict n=$((n_queries > 20000000 ? n_queries : 20000000))
    : >"$work/ratios"
    for ((i = 0; i < n_pairs; i++)); do
        run_recfleet "${core[0]}" light-random 1000 "$n"
        few=$(rate_of "${core[0]}")
        run_recfleet "${core[0]}" light-random 100000 "$n"
        many=$(rate_of "${core[0]}")
        calc "$few / $many" >>"$work/ratios"
    done
    ratios=$(spread %.3f <"$work/ratios")
    judge "$ratios" '<=' 1.5
    row "light r, time per query at S = 100000 over S = 1000" "$ratios" "at most 1.5" "$verdict"
}

# peak_kib STUDY SERVERS QUERIES [ARGS...]: resident memory of a whole run at its largest.
peak_kib() {
    local args
    mapfile -t args < <(settings "$1" "$2" "$3")
    python3 - "$recfleet" run "$studies/$1.yaml" "${args[@]}" -o "$work/memory.h5" -f -q \
        --set warmup=0s "${@:4}" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
}

# memory WHAT STUDY BAR QUERIES_PER_SERVER [ARGS...]
memory() {
    local few many bytes verdict=-
    few=$(peak_kib "$2" 1000 $((1000 * $4)) "${@:5}")
    many=$(peak_kib "$2" 200000 $((200000 * $4)) "${@:5}")
    bytes=$(printf %.0f "$(calc "($many - $few) * 1024 / 199000")")
    [ "$3" = - ] || judge "$bytes" '<=' "$3"
    row "memory of $1" "$bytes bytes" "$([ "$3" = - ] || echo "at most $3")" "$verdict"
}

# ---- ranks --------------------------------------------------------------------------------------

# on_two RANKED STUDY SERVERS QUERIES [ARGS...]: one run on two ranks, a core each.
on_two() {
    local args
    mapfile -t args < <(settings "$1" "$2" "$3")
    # The ranks start in a shell of their own, which knows the rank and takes the core.
    # shellcheck disable=SC2016
    mpirun -n 2 --bind-to none bash -c \
        'c=('"${core[*]}"'); exec taskset -c "${c[$OMPI_COMM_WORLD_RANK]}" "$@"' - \
        "$recfleet" run "$studies/$1.yaml" "${args[@]}" -o "$work/two.h5" -f "${@:4}" \
        >"$work/two.log" 2>&1 || die "$(cat "$work/two.log")"
    number "$work/two.h5" -a /run/queries_per_wall_s
}

# Two separate runs at once, on a core each, over one alone: what the machine itself allows.
apart_ratio() { # STUDY RATE_ALONE
    local other
    run_recfleet "${core[1]}" "$1" 1000 "$n_queries" &
    other=$!
    run_recfleet "${core[0]}" "$1" 1000 "$n_queries"
    wait "$other"
    calc "($(rate_of "${core[0]}") + $(rate_of "${core[1]}")) / $2"
}

two_ranks() { # STUDY WHAT
    local i one two verdict figure
    : >"$work/cells"
    : >"$work/split"
    : >"$work/apart"
    for ((i = 0; i < n_pairs; i++)); do
        run_recfleet "${core[0]}" "$1" 1000 "$n_queries"
        one=$(rate_of "${core[0]}")
        two=$(on_two "$1" 2000 "$((2 * n_queries))" --set fleet.cells=2)
        calc "$two / $one" >>"$work/cells"
        two=$(on_two "$1" 1000 "$n_queries")
        calc "$two / $one" >>"$work/split"
        apart_ratio "$1" "$one" >>"$work/apart"
    done
    figure=$(spread %.2f <"$work/cells")
    judge "$figure" '>=' 1.8
    row "$2, two cells on two ranks over one cell on one" "$figure" "at least 1.8" "$verdict"
    row "$2, two separate runs at once over one: the machine" "$(spread %.2f <"$work/apart")" "-" "-"
    row "$2, one cell on two ranks over one" "$(spread %.2f <"$work/split")" "-" "-"
}

# ---- all of it ----------------------------------------------------------------------------------

build_recfleet
build_loop
mapfile -t core < <(cores)
load=$(cut -d' ' -f1 /proc/loadavg)
say "$n_pairs pairs of $n_queries queries each on core ${core[0]}; load average before them: $load"
awk "BEGIN { exit !($load > 0.5) }" && say "others use this machine: expect a wide spread"

pairs light-random light 64 r 16 0.25
pairs light-random light 64 r 1000 0.25
pairs light-power light 64 p 1000 0.25
pairs heavy-random heavy 25 r 16 -
pairs heavy-power heavy 25 p 16 -
many_servers
idle=(--set "traffic[0].rate=10000qps" --set duration=1s)
memory "an idle server, r" light-random 1024 1 "${idle[@]}"
memory "an idle server, p" light-power 1024 1 "${idle[@]}"
memory "a server at work, p" light-power - 20
if [ ${#core[@]} -ge 2 ]; then
    two_ranks light-random "light r, S = 1000 a cell"
    two_ranks light-power "light p, S = 1000 a cell"
else
    say "one core only: nothing to say about two ranks"
fi

echo
echo "$(sed -n 's/^model name[^:]*: *//p;/^model name/q' /proc/cpuinfo | head -n 1), ${#core[@]} cores;" \
    "gcc $(gcc -dumpfullversion); ${loop:+loop ST=$structure; }recfleet" \
    "$(git -C "$ROOT" rev-parse --short HEAD 2>/dev/null || echo -); $n_pairs pairs of" \
    "$(calc "$n_queries / 1e6") million queries; medians (least .. most)"
echo
echo "| figure | measured | bar | |"
echo "| --- | --- | --- | --- |"
printf '%s\n' "${rows[@]}"
[ $misses = 0 ] || die "$misses of the bars missed"
