#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# calibrate.sh [--fit]: writes docs/calibration.md from models/calibration/*.csv and the catalogue.
# With --fit it fits the roofline's parameters again instead and prints them, one "hardware.key
# value" a line, in SI units; whoever accepts them writes them into models/*/*.yaml, rounded.
# scripts/calibrate_gains.py makes the page's table of every fit that was tried.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

case ${1:-} in
'' | --fit) ;;
-h | --help) sed -n '3,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
*) die "unknown option $1" ;;
esac
cd "$ROOT"
build=${RECFLEET_BUILD:-build/dev}
[ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo >&2
cmake --build "$build" --target rf_calibrate -j "$JOBS" >&2
tool=$build/src/calibrate/rf_calibrate
if [ "${1:-}" = --fit ]; then
    exec "$tool" --fit
fi
"$tool" --report > "$build/calibration.md"
"$tool" --holdout >> "$build/calibration.md"
mv "$build/calibration.md" docs/calibration.md
