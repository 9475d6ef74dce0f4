#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# revision.sh CMAKE TREE: scripts/cmake/revision.cmake in repositories, archives and bare folders made
# here: every way in which a commit is found, and that other sources never have the same revision.
set -euo pipefail
cmake=$1 tree=$2
command -v git >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# A path on which everything but git is found.
mkdir "$dir/bin"
ln -s "$(command -v "$cmake")" "$dir/bin/cmake"
umask 022
export HOME=$dir GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY

revision() { "$cmake" -DROOT="$1" -P "$1/scripts/cmake/revision.cmake" 2>&1; }
without_git() { PATH=$dir/bin cmake -DROOT="$1" -P "$1/scripts/cmake/revision.cmake" 2>&1; }
repo() { git -C "$dir/repo" -c user.name=a -c user.email=a@b "$@"; }
hash='[0-9a-f]{12}'
# expect WHAT REGEX TEXT
expect() {
    [[ $3 =~ ^$2$ ]] || { echo "$1: expected $2, got $3"; exit 1; }
}
differ() {
    [ "$2" != "$3" ] || { echo "$1: twice $2"; exit 1; }
}

mkdir -p "$dir/repo/scripts/cmake" "$dir/repo/src/app" "$dir/repo/docs"
cp "$tree/scripts/cmake/revision.cmake" "$dir/repo/scripts/cmake"
cp "$tree/.gitattributes" "$dir/repo"
echo 'int a;' >"$dir/repo/src/app/a.c"
echo 'a page' >"$dir/repo/docs/a.md"
bare=$(revision "$dir/repo")
expect "no repository" "src-$hash" "$bare"
git init -q -b main "$dir/repo"
expect "no commit yet" "src-$hash" "$(revision "$dir/repo")"
repo add -A
repo commit -q -m one
commit=$(repo rev-parse HEAD)
commit=${commit:0:12}

expect "clean" "$commit" "$(revision "$dir/repo")"
expect "the same from another repository's hook" "$commit" \
    "$(GIT_DIR=/nonexistent revision "$dir/repo")"
expect "loose branch without git" "$commit-$hash" "$(without_git "$dir/repo")"
repo pack-refs --all
[ ! -e "$dir/repo/.git/refs/heads/main" ]
expect "packed branch without git" "$commit-$hash" "$(without_git "$dir/repo")"
repo worktree add -q "$dir/other" -b other/c++
expect "worktree" "$commit" "$(revision "$dir/other")"
expect "worktree without git" "$commit-$hash" "$(without_git "$dir/other")"
repo pack-refs --all
expect "worktree, packed, without git" "$commit-$hash" "$(without_git "$dir/other")"
repo checkout -q --detach
expect "detached without git" "$commit-$hash" "$(without_git "$dir/repo")"

mkdir "$dir/outer" && git init -q "$dir/outer"
repo archive --prefix=in/ HEAD | tar x -C "$dir/outer"
archive=$(revision "$dir/outer/in")
expect "archive, below another repository" "$commit-$hash" "$archive"
echo 'int b;' >>"$dir/outer/in/src/app/a.c"
edited=$(revision "$dir/outer/in")
expect "edited archive" "$commit-$hash" "$edited"
differ "edited archive" "$archive" "$edited"

echo 'more' >>"$dir/repo/docs/a.md"
expect "an edited page" "$commit" "$(revision "$dir/repo")"
echo zz.c >>"$dir/repo/.git/info/exclude"
echo 'int z;' >"$dir/repo/src/app/zz.c"
expect "a source that git ignores" "$commit-dirty-$hash" "$(revision "$dir/repo")"
rm "$dir/repo/src/app/zz.c"
echo 'int b;' >>"$dir/repo/src/app/a.c"
first=$(revision "$dir/repo")
expect "edited" "$commit-dirty-$hash" "$first"
blind=$(without_git "$dir/repo")
echo 'int c;' >>"$dir/repo/src/app/a.c"
differ "two edits" "$first" "$(revision "$dir/repo")"
differ "two edits without git" "$blind" "$(without_git "$dir/repo")"
repo checkout -q src
echo 'a: 1' >"$dir/repo/src/new.yaml"
expect "a source that git does not know" "$commit-dirty-$hash" "$(revision "$dir/repo")"
rm "$dir/repo/src/new.yaml"

# Nothing is rewritten, and so compiled, while the revision stays.
"$cmake" -DROOT="$dir/repo" -DOUT="$dir/r.c" -P "$dir/repo/scripts/cmake/revision.cmake"
grep -q "revision\[\] = \"$commit\"" "$dir/r.c"
touch -d 2001-01-01 "$dir/r.c"
"$cmake" -DROOT="$dir/repo" -DOUT="$dir/r.c" -P "$dir/repo/scripts/cmake/revision.cmake"
[ "$(date -r "$dir/r.c" +%Y)" = 2001 ] || { echo "rewritten without need"; exit 1; }

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$dir"
    expect "a tree of another user" "$commit" "$(setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$cmake" -DROOT="$dir/repo" -P "$dir/repo/scripts/cmake/revision.cmake" 2>&1)"
fi
echo "revision: as expected"
