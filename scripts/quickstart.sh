#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh: from a fresh clone on Debian 12 or 13 to a result. Installs what is missing, builds the
# release preset, runs slurm/studies/00-quickstart.yaml on two ranks, and ends with its table and the
# path of its HDF5 file. May be run again: it then builds what changed and runs the study anew.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

[ $# = 0 ] || die "takes no arguments"
out=$ROOT/build/quickstart
study=$ROOT/slurm/studies/00-quickstart.yaml

say "1/3 packages"
"$ROOT/scripts/setup.sh" build
packages_s=$SECONDS
say "2/3 building (a minute or so the first time)"
build release "$out/build.log" recfleet
say "3/3 running slurm/studies/00-quickstart.yaml on 2 ranks (packages took $packages_s s, building $((SECONDS - packages_s)) s)"
mpirun -n 2 "$ROOT/build/release/src/app/recfleet" run "$study" -o "$out/quickstart.h5" --force
