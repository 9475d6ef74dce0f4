#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh [--quick] [--only RE] [-n PAIRS] [-B BUILD] [--loop DIR]: how fast recfleet is, as
# ratios taken in one go on one machine, held against the bars of docs/performance.md. Ends with a
# table in Markdown; exits with 1 when a bar is missed.
#
#   --only RE    the rows whose name matches this regular expression ("heavy", "idle server")
#   --quick      5e6 queries a run instead of 2e7, 3 pairs instead of 7
#   -n PAIRS     runs per figure
#   -B BUILD     a build folder of type Release instead of build/release
#   --loop DIR   where minloop.c is, the hand-written loop of the same workload; also
#                RECFLEET_LOOP_DIR. Left out: the folder bench/ of a folder beside this tree. It is no
#                part of the tree; without it the ratios to it are left out.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

n_queries=20000000 n_pairs='' quick=0 only='' build_dir='' loop_dir=${RECFLEET_LOOP_DIR:-}
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --only) [ $# -ge 2 ] || usage 2 >&2; only=$2; shift ;;
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

# wanted WHAT: is a row of this name asked for?
wanted() { [ -z "$only" ] || grep -qE -- "$only" <<<"$1"; }

# row WHAT FIGURE BAR VERDICT
row() {
    wanted "$1" || return 0
    set -- "$1" "$2" "${3:--}" "$4"
    rows+=("| $1 | $2 | $3 | $4 |")
    say "$1: $2  [$3: $4]"
}

# judged WHAT FIGURE RELATION BAR [AIM]: the row of a figure whose first word is held against a bar.
judged() {
    local verdict=met bar="at most $4"
    [ "$3" = '<=' ] || bar="at least $4"
    wanted "$1" || return 0
    awk "BEGIN { exit !(${2%%[ ;]*} $3 $4) }" || verdict=MISSED misses=$((misses + 1))
    row "$1" "$2" "$bar${5:+, aim $5}" "$verdict"
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

# pairs STUDY CASE BATCH POLICY SERVERS BAR AIM: both, in turn, on one core.
pairs() {
    local i what="$2 $4, S = $5, queries/s over the loop's" rates ratios n_queries=$n_queries
    wanted "$what" || return 0
    # Of 100000 servers never with fewer than 2e7: those are 28 ms of simulated time, and a file has
    # its 60 time bins however short they are.
    [ "$5" -lt 100000 ] || [ "$n_queries" -ge 20000000 ] || n_queries=20000000
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
    rates=$(awk '{ print $1 / 1e6 }' "$work/rates" | spread %.2f)
    if [ -z "$loop" ]; then
        row "$2 $4, S = $5" "$rates M queries/s" - -
        return
    fi
    check_same "$what" "$4"
    ratios=$(spread %.3f <"$work/ratios")
    judged "$what" "$ratios; $rates M queries/s" '>=' "$6" "$7"
}

# ---- studies that the loop does not know -------------------------------------------------------

# in_turn WHAT RELATION BAR AIM FIRST SECOND: the ratio of what the commands FIRST and SECOND print,
# in turn.
in_turn() {
    local i first second ratios
    wanted "$1" || return 0
    : >"$work/ratios"
    for ((i = 0; i < n_pairs; i++)); do
        first=$($5)
        second=$($6)
        calc "$first / $second" >>"$work/ratios"
    done
    ratios=$(spread %.3f <"$work/ratios")
    judged "$1" "$ratios" "$2" "$3" "$4"
}

# of_study ATTRIBUTE STUDY [ARGS...]: a number of /run, of a study as it is but for ARGS.
of_study() {
    taskset -c "${core[0]}" "$recfleet" run "$2" -o "$work/study.h5" -f "${@:3}" \
        >"$work/study.log" 2>&1 || die "$(cat "$work/study.log")"
    number "$work/study.h5" -a "/run/$1"
}

in_groups() { of_study queries_per_wall_s "$studies/light-groups.yaml" --set "duration=$group_s"; }
in_one_group() {
    of_study queries_per_wall_s "$studies/light-random.yaml" --set "duration=$group_s" \
        --set "fleet.groups[0].servers=1024" --set "traffic[0].rate=7223188.96qps"
}
groups() {
    local group_s
    group_s=$(calc "$n_queries / 7223188.96")s
    in_turn "light r, 1024 servers, queries/s of 64 groups over 1" '>=' 0.75 0.80 \
        in_groups in_one_group
}

# 1000 servers, of whose cores 83 % work: service times depend on how many do.
quickstart_rate() {
    of_study queries_per_wall_s "$ROOT/slurm/studies/00-quickstart.yaml" --set warmup=100ms \
        --set "fleet.groups[0].servers=1000" --set "traffic[0].rate=1.9Mqps" \
        --set balancer.policy=random --set "duration=$(calc "$n_queries / 1.9e6")s"
}
loop_rate() {
    run_loop light 64 r 1000
    loop_field q/s
}
quickstart() {
    [ -z "$loop" ] ||
        in_turn "the quickstart's model, r, S = 1000, queries/s over the loop's light r" '>=' 0.27 \
            0.29 quickstart_rate loop_rate
}

overload_for() { of_study wall_s "$studies/overload.yaml" --set "duration=$1"; }
overload() {
    in_turn "overload, p, time of 16 s over that of 8 s" '<=' 2.2 2.0 \
        "overload_for 16s" "overload_for 8s"
}

# with_scheduler SCHEDULER [ARGS...]: time per query of light r with another scheduler.
with_scheduler() {
    calc "1 / $(of_study queries_per_wall_s "$studies/light-random.yaml" \
        --set "duration=$(calc "$n_queries / 7053895.47")s" \
        --set "fleet.groups[0].scheduler={$1}" "${@:2}")"
}
# Cores take what they do in either case; what else is set says what a card could do beside them.
card=(--set 'fleet.groups[0].accelerator={name: card, streams: 2}'
    --set 'fleet.groups[0].cost={kind: synthetic, fixed: 200us, per_item: 20us, accel_fixed: 300us, accel_per_item: 1us}')
splitting() { with_scheduler "policy: fixed, batch_items: 64" "${@}"; }
pulling() { with_scheduler "policy: pull, batch_items: 64" "${@}"; }
merging() { with_scheduler "policy: batch, batch_items: 512"; }
pulling_both() { with_scheduler "policy: pull, batch_items: 64, accel_items: 4096" "${card[@]}"; }
splitting_both() { with_scheduler "policy: fixed, batch_items: 64, offload_items: 250" "${card[@]}"; }
beyond=(--set "traffic[0].rate=12092392qps") # 120 % of what they carry
splitting_beyond() { splitting "${beyond[@]}"; }
pulling_beyond() { pulling "${beyond[@]}"; }
queues() {
    in_turn "light r, S = 1000, time of pull over split" '<=' 1.5 1.2 pulling splitting
    in_turn "light r, S = 1000, time of pull over split, with an accelerator" '<=' 1.5 1.2 \
        pulling_both splitting_both
    in_turn "light r, S = 1000, time of batch over split" '<=' 2.5 2 merging splitting
    in_turn "light r, S = 1000 at 120 % load, time of pull over split" '<=' 3 2 \
        pulling_beyond splitting_beyond
}

# tiny: the wall time of a whole command, as a user starts it.
tiny() {
    local what="a tiny run, wall time of one process" i seconds variable unset=()
    wanted "$what" || return 0
    for variable in "${!OMPI_MCA_@}"; do unset+=(-u "$variable"); done
    : >"$work/seconds"
    for ((i = 0; i < n_pairs; i++)); do
        seconds=$EPOCHREALTIME
        env "${unset[@]}" "$recfleet" run "$ROOT/slurm/studies/00-quickstart.yaml" -q -f \
            --set duration=1s --set warmup=100ms -o "$work/tiny.h5" >"$work/tiny.log" 2>&1 ||
            die "$(cat "$work/tiny.log")"
        calc "$EPOCHREALTIME - $seconds" >>"$work/seconds"
    done
    judged "$what" "$(spread %.3f <"$work/seconds") s" '<=' 0.2 0.1
}

# ---- memory -------------------------------------------------------------------------------------

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

# memory WHAT STUDY BAR QUERIES_PER_SERVER [ARGS...]; BAR -: for information.
memory() {
    local few many bytes
    wanted "memory of $1" || return 0
    few=$(peak_kib "$2" 1000 $((1000 * $4)) "${@:5}")
    many=$(peak_kib "$2" 200000 $((200000 * $4)) "${@:5}")
    bytes=$(printf %.0f "$(calc "($many - $few) * 1024 / 199000")")
    if [ "$3" = - ]; then
        row "memory of $1" "$bytes bytes" - -
    else
        judged "memory of $1" "$bytes bytes" '<=' "$3"
    fi
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
    local i one two
    wanted "$2, two ranks" || return 0
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
    judged "$2, two ranks: two cells over one cell on one" "$(spread %.2f <"$work/cells")" '>=' 1.8
    row "$2, two ranks: two separate runs at once over one, the machine" \
        "$(spread %.2f <"$work/apart")" - -
    row "$2, two ranks: one cell over one rank" "$(spread %.2f <"$work/split")" - -
}

# ---- all of it ----------------------------------------------------------------------------------

build_recfleet
build_loop
mapfile -t core < <(cores)
load=$(cut -d' ' -f1 /proc/loadavg)
say "$n_pairs pairs of $n_queries queries each on core ${core[0]}; load average before them: $load"
awk "BEGIN { exit !($load > 0.5) }" && say "others use this machine: expect a wide spread"

pairs light-random light 64 r 16 0.55 0.60
pairs light-random light 64 r 1000 0.55 0.60
pairs light-power light 64 p 1000 0.50 0.55
pairs heavy-random heavy 25 r 16 0.65 0.73
pairs heavy-power heavy 25 p 16 0.55 0.60
pairs light-random light 64 r 100000 0.60 0.69
pairs light-power light 64 p 100000 0.35 0.45
groups
quickstart
overload
queues
tiny
idle=(--set "traffic[0].rate=10000qps" --set duration=1s)
memory "an idle server, r" light-random 420 1 "${idle[@]}"
memory "an idle server, p" light-power 420 1 "${idle[@]}"
memory "a server at work, p" light-power - 20
if [ ${#core[@]} -ge 2 ]; then
    two_ranks light-random "light r, S = 1000 a cell"
    two_ranks light-power "light p, S = 1000 a cell"
else
    say "one core only: nothing to say about two ranks"
fi

[ ${#rows[@]} -gt 0 ] || die "no row is called anything like '$only'"
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
