#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# same_tuning.sh RECFLEET MPIEXEC PYTHON STUDY: the file of `recfleet tune` is the same, outside
# /run, without mpirun and on 1, 2, 3 and 5 ranks (fewer and more ranks than units of work).
set -euo pipefail
recfleet=$1 mpiexec=$2 python=$3 study=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$recfleet" tune "$study" -q -o "$folder/0.h5"
for ranks in 1 2 3; do
    "$mpiexec" -n "$ranks" "$recfleet" tune "$study" -q -o "$folder/$ranks.h5"
    "$python" "$here/compare_results.py" "$folder/0.h5" "$folder/$ranks.h5"
done
# One unit of work on several ranks: the tasks of its rounds are dealt out, and shared.
one=(--set 'tune.policies=[deeprecsched]' --set 'sweep[0].values=[2ms]')
"$recfleet" tune "$study" -q "${one[@]}" -o "$folder/one-0.h5"
for ranks in 2 5; do
    "$mpiexec" -n "$ranks" "$recfleet" tune "$study" -q "${one[@]}" -o "$folder/one-$ranks.h5"
    "$python" "$here/compare_results.py" "$folder/one-0.h5" "$folder/one-$ranks.h5"
done
# Another seed is another file: the comparison can tell.
"$recfleet" tune "$study" -q "${one[@]}" --set seed=4 -o "$folder/other.h5"
if "$python" "$here/compare_results.py" "$folder/one-0.h5" "$folder/other.h5" >/dev/null; then
    echo "another seed gave the same file" >&2
    exit 1
fi
