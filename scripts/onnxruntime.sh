#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# onnxruntime.sh --library PATH [OPTION...] [MODEL...]: are the results of models that run
# for real those of ONNX Runtime? For developers. Each model of the catalogue is run by the engine
# `own`, exported by PyTorch with the same weights and rows, and run on the same inputs by the library.
# The table says how far apart the outputs are; the exit status is 1 where that is more than rounding
# explains (scripts/kernels_ort.py says how much that is).
#
#   --library PATH  ONNX Runtime, 1.11 or newer: libonnxruntime.so.1 of its releases, or of the npm
#                   package onnxruntime-node (bin/napi-v*/linux/x64)
#   --bytes N       largest size of a model's tables; 1e7
#   --batch N       items of the request; 33
#   --output DIR    where everything is kept; build/onnxruntime
#   MODEL...        of the catalogue; the eight of the reference repository
#
# It takes PyTorch and what builds recfleet (scripts/kernels.sh --install). RF_KERNELS may name a built
# rf_kernels.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

models=() library='' bytes=1e7 batch=33 out=$ROOT/build/onnxruntime own=${RF_KERNELS:-}
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '3,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
    --library | --bytes | --batch | --output) [ $# -gt 1 ] || die "$1: expected a value" ;;&
    --library) library=$(readlink -f "$2") ;;
    --bytes) bytes=$2 ;;
    --batch) batch=$2 ;;
    --output) out=$(readlink -m "$2") ;;
    -*) die "unknown option $1: see --help" ;;
    *) models+=("$1"); shift; continue ;;
    esac
    shift 2
done
[ -f "$library" ] || die "expected --library with the path of libonnxruntime.so.1"
[ ${#models[@]} -gt 0 ] || models=({ncf,wnd,mtwnd,din,dien,rmc1,rmc2,rmc3}-repo)
/usr/bin/python3 -c 'import torch, yaml' 2>/dev/null || die "needs PyTorch: scripts/kernels.sh --install"

cd "$ROOT"
mkdir -p "$out"
if [ -z "$own" ]; then
    build bench "$out/build.log" rf_kernels
    own=build/bench/src/kernels/rf_kernels
fi
failed=0
printf '| model | ONNX Runtime | outputs | largest difference | relative | of what it may be | least | largest |\n'
printf '| --- | --- | --- | --- | --- | --- | --- | --- |\n'
for model in "${models[@]}"; do
    "$own" --dump "$model" "$bytes" "$batch" "$out"
    rc=0
    line=$(/usr/bin/python3 -B scripts/kernels_ort.py "$model" "$out" "$batch" "$library") || rc=$?
    [ -n "$line" ] || die "$model: could not be compared"
    printf '| %s |\n' "${line//,/ | }"
    [ $rc -eq 0 ] || { failed=1; say "$model: the results are not the same"; }
done
exit $failed
