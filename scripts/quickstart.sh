#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh: from a fresh clone on Debian 12 or 13 to a result. Installs what is missing, builds the
# release preset, runs slurm/studies/00-quickstart.yaml on two ranks and sweeps 02-policies.yaml, and
# ends with their tables and the paths of their files and pages. May be run again: it then builds what
# changed and runs the studies anew.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

[ $# = 0 ] || die "takes no arguments"
out=$ROOT/build/quickstart
studies=$ROOT/slurm/studies
program=$ROOT/build/release/src/app/recfleet

say "1/4 packages"
"$ROOT/scripts/setup.sh" build
packages_s=$SECONDS
say "2/4 building (a minute or so the first time)"
build release "$out/build.log" recfleet
say "3/4 running slurm/studies/00-quickstart.yaml on 2 ranks (packages took $packages_s s, building $((SECONDS - packages_s)) s)"
mpirun -n 2 "$program" run "$studies/00-quickstart.yaml" -o "$out/quickstart.h5" --force
say "4/4 four balancer policies on the same traffic: slurm/studies/02-policies.yaml"
mpirun -n 2 "$program" sweep "$studies/02-policies.yaml" -o "$out/policies.h5" --force
for results in quickstart policies; do
    "$program" report "$out/$results.h5" --force
done
