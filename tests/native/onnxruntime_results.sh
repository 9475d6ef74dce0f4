#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# onnxruntime_results.sh RF_KERNELS SCRIPTS FOLDER: scripts/onnxruntime.sh with the library that
# RECFLEET_ONNXRUNTIME names: a model's results are those of ONNX Runtime, and one of them that is off by
# 1e-4 of itself is seen. Skipped without the library or PyTorch.
set -euo pipefail
scripts=$2 folder=$3
[ -n "${RECFLEET_ONNXRUNTIME:-}" ] || exit 77
/usr/bin/python3 -c 'import torch, yaml' 2>/dev/null || exit 77

RF_KERNELS=$1 "$scripts/onnxruntime.sh" --library "$RECFLEET_ONNXRUNTIME" --output "$folder" ncf-repo
/usr/bin/python3 - "$folder/outputs" <<'end'
import sys
import numpy
outputs = numpy.fromfile(sys.argv[1], "float32")
outputs[abs(outputs - 0.5).argmin()] *= 1.0001
outputs.tofile(sys.argv[1])
end
rc=0
line=$(/usr/bin/python3 -B "$scripts/kernels_ort.py" ncf-repo "$folder" 33 "$RECFLEET_ONNXRUNTIME") ||
    rc=$?
[ $rc -eq 1 ] && [[ $line == ncf-repo,*,0.0001,* ]] || { echo "a result that is off: expected exit status 1, got $rc"; exit 1; }
