#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# update.sh: counts the instructions per query anew and writes instructions.txt beside this script.
# For a change that is meant to cost more, or has made the hot path cheaper; commit the two together.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"

[ $# = 0 ] || die "takes no arguments"
build bench "$ROOT/build/bench.log" recfleet
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER_ID "\(.*\)")/\1/p; s/^set(CMAKE_C_COMPILER_VERSION "\(.*\)")/\1/p' \
    "$ROOT"/build/bench/CMakeFiles/*/CMakeCCompiler.cmake | paste -sd' ')
"$here/instructions.sh" "$ROOT/build/bench/src/app/recfleet" "$compiler" "$here/instructions.txt"
