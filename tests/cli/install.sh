#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh CMAKE BUILD: what is installed from a build folder is whole, may be moved, and works from
# where it was moved to: the program, its manual pages, the completion of shells, studies to run.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "$*"; exit 1; }

"$1" --install "$2" --prefix "$dir/first" >"$dir/log" || { cat "$dir/log"; exit 1; }
mkdir "$dir/a place"
mv "$dir/first" "$dir/a place/moved"
prefix="$dir/a place/moved"
export PATH=$prefix/bin:$PATH
[ "$(recfleet --version)" = "$("$2/src/app/recfleet" --version)" ] || fail "other versions"
! grep -rlF "$dir/first" "$prefix" || fail "it knows where it was installed"

# A page for the program and for each command, which man finds by the program's path.
commands=$(recfleet help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 14 ] || fail "commands: $commands"
[ "$(ls "$prefix/share/man/man1" | wc -l)" = $(($(wc -w <<<"$commands") + 1)) ] || fail "pages of nothing"
recfleet help --man | cmp - "$prefix/share/man/man1/recfleet.1"
for command in $commands; do
    [ -s "$prefix/share/man/man1/recfleet-$command.1" ] || fail "no page of $command"
done
if command -v man >/dev/null; then
    found=$(MANPATH='' man -w recfleet-capacity) || fail "man does not find it"
    [ "$found" = "$prefix/share/man/man1/recfleet-capacity.1" ] || fail "man found $found"
fi

# What bash offers for a command line; the last word is the one to complete.
bash=$prefix/share/bash-completion/completions/recfleet
offered() {
    (cd "$prefix/share/recfleet" && bash --norc -c '. "$1"; shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _recfleet; echo "${COMPREPLY[*]}"' _ "$bash" "$@")
}
expect() {
    local want=$1 got
    shift
    got=$(offered "$@")
    [ "$got" = "$want" ] || fail "$*: expected '$want', got '$got'"
}
bash -n "$bash"
expect "report" recfleet rep
expect "--layout" recfleet run --la
expect "json" recfleet run x.yaml --format j
expect "json" recfleet run --format = j
expect "auto spread apart" recfleet run --layout =
expect "platforms policies" recfleet list p
expect "convert" recfleet trace conv
expect "capacity" recfleet help cap
expect "zsh" recfleet help --completion z
expect "studies/00-quickstart.yaml" recfleet run studies/00
expect "site" recfleet run -o si
expect "" recfleet run --set tr
if command -v zsh >/dev/null; then
    zsh=$prefix/share/zsh/site-functions/_recfleet
    zsh -n "$zsh"
    said=$(zsh -f -c 'compdef() { :; }; _describe() { print -l -- $commands; }
        _arguments() { print -l -- "$@"; }; . "$1"
        words=(recfleet "") CURRENT=2; _recfleet; words=(recfleet run ""); CURRENT=3; _recfleet' _ "$zsh")
    for word in 'capacity:' '{-o+,--output=}' '--layout=' '(auto spread apart)'; do
        [ "$word" != '{-o+,--output=}' ] || word='--output=[results file'
        grep -qF -- "$word" <<<"$said" || fail "zsh does not offer $word: $said"
    done
fi

# What else a stranger needs is there, and a study runs far from the sources.
for file in models/catalog/wnd.yaml models/platforms/skylake.yaml models/accelerators/t4.yaml \
    models/tables/wnd-repo-zen5-2core.yaml site/example.env studies/62-plan.yaml \
    ../doc/recfleet/docs/study.md ../doc/recfleet/CHANGES.md ../doc/recfleet/LICENSE; do
    [ -s "$prefix/share/recfleet/$file" ] || fail "no $file"
done
(cd "$dir" && recfleet run "$prefix/share/recfleet/studies/00-quickstart.yaml" --set duration=200ms >said)
grep -q 'results: quickstart.h5' "$dir/said" || fail "no results: $(cat "$dir/said")"

# Into a DESTDIR the same files go, whatever the prefix is.
DESTDIR=$dir/stage "$1" --install "$2" --prefix /opt/recfleet >/dev/null
diff <(cd "$prefix" && find . | sort) <(cd "$dir/stage/opt/recfleet" && find . | sort)
