#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# policies.sh [--quick] [--only-report] [-o FOLDER] [-B BUILD]: what servers gain that merge
# queries, in one command. Builds what changed, tunes slurm/studies/71-pull.yaml and the studies
# around it (72- to 77-pull-*.yaml) on all cores, and writes docs/policies.md with its numbers in
# docs/policies. Says the wall time of each study.
#
#   --quick        two models, the medium target, 10 % accuracy, no fleets; all of it, the page
#                  too, in build/policies-quick
#   --only-report  tunes nothing; writes the page from the files that are there
#   -o FOLDER      of the tuning files instead of build/policies
#   -B BUILD       a build folder instead of build/release
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

quick=0 only_report=0 folder='' build_dir=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 ;;
    --only-report) only_report=1 ;;
    -o) [ $# -ge 2 ] || usage 2 >&2; folder=$2; shift ;;
    -B) [ $# -ge 2 ] || usage 2 >&2; build_dir=$2; shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
page=$ROOT/docs/policies.md
if [ "$quick" = 1 ]; then
    folder=${folder:-$ROOT/build/policies-quick} page=${folder:-$ROOT/build/policies-quick}/policies.md
fi
folder=${folder:-$ROOT/build/policies}
mkdir -p "$folder"

find_python

# day STUDY NAME BALANCER [--set ...]: a capacity search, its tables to FOLDER/NAME-BALANCER.json.
day() {
    local study=$ROOT/slurm/studies/$1.yaml name=$2-$3 balancer=$3 start=$SECONDS status=0
    shift 3
    mpirun -n "$JOBS" "$recfleet" capacity "$study" -f -o "$folder/$name.h5" --format json \
        --set "balancer.policy=$balancer" "$@" >"$folder/$name.json" 2>"$folder/$name.log" ||
        status=$?
    if [ "$status" != 0 ]; then
        tail -n 5 "$folder/$name.log" >&2
        die "the search of $(basename "$study") failed; what it said: $folder/$name.log"
    fi
    printf '%5d s  %s, %s\n' $((SECONDS - start)) "$(basename "$study")" "$balancer"
}

run_studies() {
    local models=() targets=() rough=() n_kept=400000
    if [ "$quick" = 1 ]; then
        models=(--set 'sweep[0].values=[wnd, rmc1]') targets=(--set 'sweep[1].values=[medium]')
        n_kept=40000
        rough=(--set tune.accuracy=10% --set tune.queries=5000 --set tune.max_queries=40000
            --set tune.confirm=false)
    fi
    tune 71-pull pull "${models[@]}" "${targets[@]}" "${rough[@]}"
    "$python" "$ROOT/scripts/policies_ceiling.py" "$recfleet" "$ROOT/slurm/studies/71-pull.yaml" \
        "$folder/ceiling.csv"
    "$python" "$ROOT/scripts/policies_large.py" "$recfleet" "$ROOT/slurm/studies/71-pull.yaml" \
        "$folder" "$n_kept"
    tune 72-pull-tables tables ${models[@]+--set "sweep[0].values=[wnd-repo, rmc1-repo]"} \
        "${targets[@]}" "${rough[@]}"
    tune 73-pull-accelerator accelerator "${models[@]}" "${rough[@]}"
    tune 74-pull-sizes sizes "${models[@]}" "${rough[@]}"
    tune 75-pull-stress stress \
        --set "sweep[0].points=$("$python" "$ROOT/scripts/policies.py" --servers "$folder")" \
        "${rough[@]}"
    tune 75-pull-stress rule --set 'sweep[1].points=[{label: calm, set: {duration: 60s}}]' \
        --set "sweep[0].points=$("$python" "$ROOT/scripts/policies.py" --rule "$folder")" \
        "${rough[@]}"
    for balancer in random power-of-two; do
        [ "$quick" = 0 ] || break
        day 76-pull-day production "$balancer"
        day 77-pull-plan plan "$balancer"
    done
    printf '%5d s  together, on %d ranks\n' "$SECONDS" "$JOBS"
}

if [ "$only_report" = 0 ]; then
    if [ -z "$build_dir" ]; then
        build release "$ROOT/build/policies-build.log" recfleet || exit 1
        build_dir=$ROOT/build/release
    fi
    recfleet=$build_dir/src/app/recfleet
    SECONDS=0
    run_studies
fi
"$python" "$ROOT/scripts/policies.py" "$folder" "$page"
echo "$page"
