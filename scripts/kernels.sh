#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kernels.sh [--install] [--rounds N] [--bytes N] [--seconds N] [MODEL...]: how fast models run here,
# next to PyTorch, on one thread; for developers. Both sides run the same shapes at batches of 1 to
# 1024, in turns, and the table says how many times as fast ours is. First, results of both are
# compared on the same numbers. Then, how near sums of table rows come to what memory gives to random
# reads. Times are of the threads' own processor time.
#
#   --install    installs Debian's python3-torch, python3-yaml and libopenblas0-pthread (root)
#   --rounds N   of both sides, in turns; 3
#   --bytes N    largest size of a model's tables, for both; 1e9
#   --seconds N  for each batch size and round; 0.3
#   MODEL...     of the catalogue; the eight of the reference repository
#
# Both sides run at the highest priority that they may have. Everything is kept in build/kernels.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

models=() rounds=3 bytes=1e9 seconds=0.3 batches=(1 4 16 64 256 1024)
while [ $# -gt 0 ]; do
    case $1 in
    --install) apt-get install -y --no-install-recommends python3-torch python3-yaml libopenblas0-pthread; shift; continue ;;
    --rounds) rounds=$2 ;;
    --bytes) bytes=$2 ;;
    --seconds) seconds=$2 ;;
    -h | --help) sed -n '3,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
    -*) die "unknown option $1: see --help" ;;
    *) models+=("$1"); shift; continue ;;
    esac
    shift 2
done
[ ${#models[@]} -gt 0 ] ||
    models=({ncf,wnd,mtwnd,din,dien,rmc1,rmc2,rmc3}-repo)
/usr/bin/python3 -c 'import torch, yaml' 2>/dev/null || die "needs PyTorch: scripts/kernels.sh --install"

cd "$ROOT"
out=build/kernels
build bench "$out.log" rf_kernels
own=build/bench/src/kernels/rf_kernels
rm -rf "$out"
mkdir -p "$out/dump"
nice=()
[ "$(nice -n -5 nice 2>/dev/null || true)" != -5 ] || nice=(nice -n -5)
# Freed memory is kept, as a server's allocator does: else PyTorch meets page faults on activations.
torch() {
    "${nice[@]}" env MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=68719476736 MALLOC_TOP_PAD_=67108864 OMP_NUM_THREADS=1 \
        ${core:+OPENBLAS_CORETYPE="$core"} /usr/bin/python3 scripts/kernels_torch.py "$@"
}

say "comparing results"
for model in "${models[@]}"; do
    "$own" --dump "$model" 1e7 33 "$out/dump"
    torch check "$model" "$out/dump" 33 >>"$out/check.csv"
done
rm -r "$out/dump"
read -r core cores < <(torch cores)
[ "$core" != default ] || core=
say "OpenBLAS: $cores"
say "random reads"
for row_bytes in 128 256; do
    "${nice[@]}" "$own" --reads $row_bytes "$bytes" 1 >"$out/reads-$row_bytes.csv"
done
for round in $(seq "$rounds"); do
    for model in "${models[@]}"; do
        say "round $round of $rounds: $model"
        "${nice[@]}" "$own" --times "$model" "$bytes" "$seconds" "${batches[@]}" >"$out/own-$model-$round.csv"
        torch times "$model" "$bytes" "$seconds" "${batches[@]}" >"$out/torch-$model-$round.csv"
    done
done
/usr/bin/python3 scripts/kernels_table.py "$out" "${models[@]}" | tee "$out/table.md"
