#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh CMAKE BUILD: what is installed from a build folder runs and has its manual page.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" --install "$2" --prefix "$dir" >"$dir/log" || { cat "$dir/log"; exit 1; }
[ "$("$dir/bin/recfleet" --version)" = "$("$2/src/app/recfleet" --version)" ]
"$dir/bin/recfleet" help --man | cmp - "$dir/share/man/man1/recfleet.1"
if command -v man >/dev/null; then
    found=$(MANPATH= PATH=$dir/bin:$PATH man -w recfleet) || { echo "man does not find it"; exit 1; }
    [ "$found" = "$dir/share/man/man1/recfleet.1" ] || { echo "man found $found"; exit 1; }
fi
