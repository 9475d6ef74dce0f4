#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# paper.sh [--quick] [--only-report] [-o FOLDER] [-B BUILD]: the result tables of the DeepRecSys
# paper beside ours, in one command. Builds what changed, tunes slurm/studies/50-paper.yaml and its
# experiments (52- to 59-paper-*.yaml) on all cores, and writes docs/paper.md with its numbers and
# pictures in docs/paper. Ends with the wall time of each study.
#
#   --quick        two models, 5 % accuracy; all of it, the page too, in build/paper-quick
#   --only-report  tunes nothing; writes the page from the tuning files that are there
#   -o FOLDER      of the tuning files instead of build/paper
#   -B BUILD       a build folder instead of build/release
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
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
page=$ROOT/docs/paper.md
if [ "$quick" = 1 ]; then
    folder=${folder:-$ROOT/build/paper-quick} page=${folder:-$ROOT/build/paper-quick}/paper.md
fi
folder=${folder:-$ROOT/build/paper}
mkdir -p "$folder"

find_python

run_studies() {
    local settings=()
    if [ "$quick" = 1 ]; then
        settings=(--set 'sweep[0].values=[wnd, rmc1]' --set tune.accuracy=5%
            --set tune.queries=5000 --set tune.max_queries=20000)
    fi
    tune 50-paper paper "${settings[@]}"
    tune 52-paper-lognormal lognormal "${settings[@]}"
    tune 53-paper-batch batch "${settings[@]}"
    tune 54-paper-cores cores "${settings[@]}"
    tune 55-paper-accelerator accelerator "${settings[@]}"
    tune 56-paper-fixed fixed "${settings[@]}"
    tune 57-paper-conversion conversion "${settings[@]}"
    tune 59-paper-tables tables ${settings[@]+"${settings[@]:2}" --set "sweep[0].values=[wnd-repo, rmc1-repo]"}
    tune 58-paper-reference reference ${settings[@]+"${settings[@]:2}"}
    printf '%5d s  together, on %d ranks\n' "$SECONDS" "$JOBS"
}

if [ "$only_report" = 0 ]; then
    if [ -z "$build_dir" ]; then
        build release "$ROOT/build/paper-build.log" recfleet || exit 1
        build_dir=$ROOT/build/release
    fi
    recfleet=$build_dir/src/app/recfleet
    SECONDS=0
    run_studies
fi
"$python" "$ROOT/scripts/paper.py" "$folder" "$page"
echo "$page"
