#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deb.sh CMAKE BUILD [--chroot]: the Debian package that is made from a build folder has what it should,
# lintian (where installed) finds no error, and its program runs: unpacked beside this system, or with
# --chroot installed by apt in a minimal system that has nothing else (root, mmdebstrap, a network).
set -euo pipefail
skip() { echo "skipped: $*"; exit 77; }
fail() { echo "$*"; exit 1; }
for tool in dpkg-deb dpkg-shlibdeps file gzip; do
    command -v $tool >/dev/null || skip "$tool is not installed"
done
if [ "${3-}" = --chroot ]; then
    [ "$(id -u)" = 0 ] || skip "only root can make a system"
    command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
fi
dir=$(mktemp -d "${RECFLEET_BARE_DIR:-/var/tmp}/recfleet-deb.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
umask 022
chmod 755 "$dir"

"$(dirname "$1")/cpack" -G DEB --config "$2/CPackConfig.cmake" -B "$dir" >"$dir/log" 2>&1 ||
    { cat "$dir/log"; exit 1; }
deb=$(ls "$dir"/recfleet_*.deb) || fail "no package: $(cat "$dir/log")"

# What a user of the package does first, in the system that it is installed in.
study=/usr/share/recfleet/studies/00-quickstart.yaml
try='set -e; cd "$HOME"; recfleet --version; recfleet run '$study' --set duration=200ms >said
    grep "results: quickstart.h5" said; recfleet show quickstart.h5 >/dev/null'
if [ "${3-}" = --chroot ]; then
    . /etc/os-release
    apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' |
        awk -F'|' '$1 == "Debian" {print "deb", $2, $3, $4}' | sort -u >"$dir/sources"
    [ -s "$dir/sources" ] || skip "this system has no package sources of Debian's"
    mmdebstrap --quiet --variant=minbase "$VERSION_CODENAME" "$dir/system" - <"$dir/sources" ||
        skip "mmdebstrap cannot make a system here"
    cp "$deb" "$dir/system/tmp/recfleet.deb"
    cp -L /etc/resolv.conf "$dir/system/etc/resolv.conf"
    chroot "$dir/system" env DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} \
        sh -c 'apt-get -qq update && apt-get -qq install -y --no-install-recommends /tmp/recfleet.deb' \
        >"$dir/log" 2>&1 || { tail -n 30 "$dir/log"; fail "apt cannot install it"; }
    chroot "$dir/system" env -i PATH=/usr/bin:/bin HOME=/tmp OMPI_MCA_ess_singleton_isolated=1 sh -c "$try"
    chroot "$dir/system" apt-get -qq remove -y recfleet >/dev/null 2>&1
    [ ! -e "$dir/system/usr/bin/recfleet" ] && [ ! -e "$dir/system/usr/share/recfleet" ] ||
        fail "something stays when it is removed"
    exit
fi

said() { dpkg-deb -f "$deb" "$1"; }
[ "$(said Package)" = recfleet ] || fail "it is called $(said Package)"
[ "$(said Version)" = "$("$2/src/app/recfleet" --version | sed -n '1s/^recfleet \([^ ]*\) .*/\1/p')" ] ||
    fail "another version: $(said Version)"
for library in libc6 libopenmpi libhdf5 libgsl libglpk libyaml libxxhash zlib1g; do
    grep -q "$library" <<<"$(said Depends)" || fail "it does not depend on $library: $(said Depends)"
done
dpkg-deb -c "$deb" >"$dir/list"
for file in bin/recfleet share/man/man1/recfleet.1.gz share/man/man1/recfleet-sweep.1.gz \
    share/bash-completion/completions/recfleet share/zsh/vendor-completions/_recfleet \
    share/recfleet/studies/62-plan.yaml share/recfleet/models/platforms/skylake.yaml \
    share/recfleet/site/example.env share/doc/recfleet/copyright share/doc/recfleet/changelog.gz \
    share/doc/recfleet/NEWS.gz; do
    grep -q " \./usr/$file$" "$dir/list" || fail "it has no $file"
done
! grep -v ' root/root ' "$dir/list" || fail "these belong to somebody"
if command -v lintian >/dev/null; then
    # Builds of this suite are for debugging; what is packed is stripped, not hardened.
    lintian --no-tag-display-limit "$deb" >"$dir/lint" 2>&1 || true
    ! grep '^E:' "$dir/lint" || fail "lintian finds errors"
fi

dpkg-deb -x "$deb" "$dir/system"
PATH=$dir/system/usr/bin:$PATH HOME=$dir sh -c "${try//$study/$dir/system$study}"
