#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# mlperf.sh [--rows FILE] [--no-rates] [-o FOLDER] [-B BUILD]: the Server latencies that MLPerf
# publishes of DLRM systems next to those that we predict from the Offline rate and the published
# configuration. Builds what changed and writes docs/mlperf.md. Unofficial.
#
#   --rows FILE    other systems, in the columns of slurm/studies/70-mlperf.csv: fits nothing; the
#                  page and its numbers go to FOLDER/mlperf.md and FOLDER/mlperf
#   --no-rates     without the largest valid rates, which take most of the time
#   -o FOLDER      of studies and results files instead of build/mlperf
#   -B BUILD       a build folder instead of build/release
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

arguments=() rows='' folder=$ROOT/build/mlperf build_dir=''
while [ $# -gt 0 ]; do
    case $1 in
    --rows) [ $# -ge 2 ] || usage 2 >&2; rows=$2; shift ;;
    --no-rates) arguments+=("$1") ;;
    -o) [ $# -ge 2 ] || usage 2 >&2; folder=$2; shift ;;
    -B) [ $# -ge 2 ] || usage 2 >&2; build_dir=$2; shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
page=$ROOT/docs/mlperf.md
if [ -n "$rows" ]; then
    arguments+=(--rows "$rows") page=$folder/mlperf.md
fi
mkdir -p "$folder"

find_python
if [ -z "$build_dir" ]; then
    build release "$folder/build.log" recfleet || exit 1
    build_dir=$ROOT/build/release
fi
JOBS=$JOBS "$python" -B "$ROOT/scripts/mlperf.py" "$build_dir/src/app/recfleet" "$folder" "$page" \
    ${arguments[@]+"${arguments[@]}"}
echo "$page"
