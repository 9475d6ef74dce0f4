#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# chain.sh N STUDY [OPTIONS]: a study that is longer than the wall time, as a chain of N jobs: each
# resumes where the one before was stopped, and the first that is done takes the rest out of the
# queue. For clusters that do not let jobs requeue themselves; where they do, one run.sbatch is enough.
#
#     SBATCH_TIMELIMIT=4:00:00 slurm/chain.sh 10 STUDY -o OUT.h5
#
# OPTIONS are those of `recfleet run`; options of sbatch are given as its SBATCH_ variables, or in
# CHAIN_SBATCH ("--nodes=2 --ntasks-per-node=16"). Settings come from the environment, see
# site/example.env. Prints the id of each job.
set -euo pipefail
if ! [ "${1:-}" -ge 1 ] 2>/dev/null || [ $# -lt 2 ]; then
    sed -n '3s/^# \([^:]*\):.*/usage: \1/p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
links=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read -ra options <<<"${CHAIN_SBATCH:-}"
# By this name a link that is done finds those that wait.
export RECFLEET_CHAIN=recfleet-chain-$(date +%s)-$$
previous=''
for _ in $(seq "$links"); do
    id=$(sbatch --parsable --job-name="$RECFLEET_CHAIN" ${previous:+--dependency=afterany:$previous} \
        "${options[@]}" "$here/run.sbatch" "$@")
    previous=${id%%;*}
    echo "$previous"
done
