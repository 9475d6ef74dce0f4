#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh [-L LABEL] [--quick] [--part PART]: installs what is missing, builds, and runs the whole test
# suite, or the parts that are named:
#
#   dev       every test but those labelled slow, in the preset that turns warnings into errors;
#             instructions are counted by -L bench alone, in a program that is built for it
#   asan      unit tests, and MPI tests of up to two ranks, under the address, leak and undefined
#             behaviour sanitizers
#   valgrind  the MPI test that sends every kind of message, on two ranks
#   tsan      only if named: the threads of serve and profile under the thread sanitizer
#   fuzz      the three fuzzers, RECFLEET_FUZZ_SECONDS (15) each, side by side
#
# --quick runs what takes seconds and needs no whole program on many ranks: the dev tests labelled
# unit, lint, golden, cli and mpi alone. -L LABEL runs only the dev tests whose labels match, the slow
# ones only when LABEL names them. --part may be given several times, so that several machines share
# the suite; valgrind runs what dev has built. A failed part does not stop the others. The last line is
# "N passed, N failed"; the exit status is 0 when nothing failed.
set -uo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

label='' quick=0 parts='' passed=0 failed=0 dev_built=0
while [ $# -gt 0 ]; do
    case $1 in
    -L) [ $# -ge 2 ] || usage 2 >&2; label=$2; shift ;;
    --quick) quick=1 ;;
    --part)
        [[ ${2-} =~ ^(dev|asan|valgrind|tsan|fuzz)$ ]] || usage 2 >&2
        parts+=" $2 "
        shift
        ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
fuzz_s=${RECFLEET_FUZZ_SECONDS:-15}
logs=$ROOT/build/test-logs
mkdir -p "$logs"
# setup.sh has installed Slurm: a cluster that does not start is a failure, not a reason to skip; but
# only root can start one.
if [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
    export RECFLEET_SLURM=required
else
    say "the tests of Slurm may be skipped: its daemons need root, or sudo that asks for no password"
fi
# What CTest does not hand down to programs that the tests themselves start.
export LSAN_OPTIONS=suppressions=$ROOT/tests/support/lsan.supp:print_suppressions=0

# count STATUS NAME: one check of this script's own.
count() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        say "FAILED: $2"
    fi
}

# part NAME FUNCTION ARGS...: runs a part of the suite and says how long it took.
part() {
    local name=$1 start=$SECONDS
    shift
    say "== $name"
    "$@"
    say "== $name took $((SECONDS - start)) s (so far $passed passed, $failed failed)"
}

# built PRESET [TARGET...]: builds; counts as one failure when it does not.
built() {
    local preset=$1
    shift
    if ! build "$preset" "$logs/build-$preset.log" "$@"; then
        count 1 "build of the preset $preset"
        return 1
    fi
}

# ctest_part NAME PRESET ARGS...: adds up CTest's own account of what passed and failed.
ctest_part() {
    local name=$1 preset=$2 status n_failed n_ran
    local report=$logs/$name.xml
    shift 2
    rm -f "$report"
    ctest --test-dir "$ROOT/build/$preset" -j "$((JOBS + 1))" --output-on-failure --no-tests=error \
        --output-junit "$report" "$@" 2>&1 | tee "$logs/$name.log" |
        grep -Ev '   Passed  |^ +Start +[0-9]+: ' >&2
    status=${PIPESTATUS[0]}
    if [ ! -s "$report" ]; then
        count 1 "ctest for $name (status $status)"
        return
    fi
    n_ran=$(grep -c '<testcase .*status="run"' "$report")
    n_failed=$(grep -c '<testcase .*status="fail"' "$report")
    passed=$((passed + n_ran)) failed=$((failed + n_failed))
    # A test that CTest could not start is neither, yet CTest fails.
    if [ "$status" != 0 ] && [ "$n_failed" = 0 ]; then
        count 1 "ctest for $name (status $status)"
    fi
}

dev_part() {
    built dev || return
    dev_built=1
    if [[ $label =~ slow|valgrind ]]; then
        ctest_part dev dev -L "$label"
    elif [ "$quick" = 1 ]; then
        ctest_part dev dev -L '^(unit|lint|golden|cli|mpi)$' -LE '^(ranks|long|slow|valgrind)$'
    elif [ -n "$label" ]; then
        ctest_part dev dev -L "$label" -LE '^(slow|valgrind)$'
    else
        ctest_part dev dev -LE '^(slow|valgrind|bench)$'
    fi
}

asan_part() {
    built asan || return
    # The whole-program comparisons (ranks) would take most of the time for code that the others reach.
    # So would a few that write large files (long), and two on two ranks that write and read large
    # states, which one rank does, too; the readers written in Python, of files that other tests write
    # here; and the searches of capacity, which simulate much to decide little, by code that test_run
    # reaches: ctest --preset asan runs them.
    ctest_part asan asan -L '^(unit|mpi)$' -LE '^(ranks|long|slow)$' \
        -E '[.]n[3-9]$|^test_(snapshot|checkpoint)[.]n2$|^read_|^test_(day|find_.*|sample|efficiency)[.]n'
}

valgrind_part() {
    if [ "$dev_built" = 0 ]; then
        say "left out: it runs the programs of the preset dev"
        return
    fi
    ctest_part valgrind dev -L '^valgrind$' -LE '^slow$'
}

# Built are the programs that it runs, which the preset names, not all tests.
tsan_part() {
    local log=$logs/build-tsan.log
    if ! (cd "$ROOT" && cmake --preset tsan && cmake --build --preset tsan -j "$JOBS") >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        count 1 "build of the preset tsan"
        return
    fi
    ctest_part tsan tsan -L '^threads$'
}

# One fuzzer on a corpus of its own, grown from the seeds; what breaks it stays in its folder.
fuzz_one() {
    local what=$1
    local dir=$ROOT/build/fuzz/run/$what
    mkdir -p "$dir/corpus"
    shift
    timeout $((fuzz_s + 120)) "$ROOT/build/fuzz/tests/fuzz/fuzz_$what" "$dir/corpus" "$@" \
        -max_total_time="$fuzz_s" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$dir/" >"$logs/fuzz-$what.log" 2>&1
}

fuzz_part() {
    local what
    local -A pid
    built fuzz fuzz_study fuzz_trace fuzz_checkpoint fuzz_onnx || return
    fuzz_one study "$ROOT/tests/fuzz/corpus/study" "$ROOT/slurm/studies" &
    pid[study]=$!
    fuzz_one trace "$ROOT/tests/fuzz/corpus/trace" &
    pid[trace]=$!
    fuzz_one checkpoint "$ROOT/tests/fuzz/corpus/checkpoint" &
    pid[checkpoint]=$!
    fuzz_one onnx "$ROOT/tests/fuzz/corpus/onnx" &
    pid[onnx]=$!
    for what in study trace checkpoint onnx; do
        if wait "${pid[$what]}"; then
            count 0 "fuzz_$what"
        else
            tail -n 40 "$logs/fuzz-$what.log" >&2
            count 1 "fuzz_$what (its input is under build/fuzz/run/$what)"
        fi
        grep -E 'number_of_executed_units|new_units_added' "$logs/fuzz-$what.log" |
            sed "s/^/fuzz_$what /" >&2
    done
}

"$ROOT/scripts/setup.sh" test || die "the test suite cannot run without them"
if [ -z "$parts" ]; then
    parts=' dev '
    [ -n "$label" ] || [ "$quick" = 1 ] || parts+=' asan  valgrind  fuzz '
fi
for name in dev asan valgrind tsan fuzz; do
    [[ $parts != *" $name "* ]] || part "$name" "${name}_part"
done
say "== all took $SECONDS s; logs: $logs"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
