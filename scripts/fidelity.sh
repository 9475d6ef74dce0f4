#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fidelity.sh [--quick] [--only-page] [-o FOLDER] [-B BUILD] [MODEL...]: how far simulations are off,
# on this machine, in one command: queues with known formulas, models that are profiled, served for
# real and simulated on the same arrivals, and what docs/mlperf.md has. Builds what changed and writes
# docs/fidelity.md with its numbers in docs/fidelity. For a machine that does nothing else.
#
#   --profile-s N, --run-s N, --runs N M
#                seconds of profile for each model (60), of a run at most (600), and how many runs at
#                70 % load and at the others (5 2)
#   --find-s N, --find-runs N, --find-rounds N
#                seconds and number of the runs (30 6) that look for the highest rate of a batch size,
#                and how often (3)
#   --quick      two models, ten seconds for each profile, one short run for each load; all of it,
#                the page too, in build/fidelity-quick
#   --only-page  measures nothing; writes the page from the numbers that are there
#   -o FOLDER    of profiles and results files instead of build/fidelity
#   -B BUILD     a build folder instead of build/release
#   MODEL...     of the catalogue; the eight of the reference repository
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,20s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

arguments=() models=() quick=0 only_page=0 folder='' build_dir=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=1 arguments+=(--quick) ;;
    --only-page) only_page=1 arguments+=(--only-page) ;;
    --profile-s | --run-s | --find-s | --find-runs | --find-rounds) [ $# -ge 2 ] || usage 2 >&2; arguments+=("$1" "$2"); shift ;;
    --runs) [ $# -ge 3 ] || usage 2 >&2; arguments+=("$1" "$2" "$3"); shift 2 ;;
    -o) [ $# -ge 2 ] || usage 2 >&2; folder=$2; shift ;;
    -B) [ $# -ge 2 ] || usage 2 >&2; build_dir=$2; shift ;;
    -h | --help) usage 0 ;;
    -*) usage 2 >&2 ;;
    *) models+=("$1") ;;
    esac
    shift
done
page=$ROOT/docs/fidelity.md
if [ "$quick" = 1 ]; then
    folder=${folder:-$ROOT/build/fidelity-quick} page=$folder/fidelity.md
fi
folder=${folder:-$ROOT/build/fidelity}
mkdir -p "$folder"

find_python
if [ -z "$build_dir" ]; then
    build_dir=$ROOT/build/release
    [ "$only_page" = 1 ] || build release "$folder/build.log" recfleet || exit 1
fi
"$python" -B "$ROOT/scripts/fidelity.py" "$build_dir/src/app/recfleet" "$folder" "$page" \
    ${models[@]+"${models[@]}"} ${arguments[@]+"${arguments[@]}"}
echo "$page"
