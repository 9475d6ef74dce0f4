#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bare.sh [bookworm|trixie] [root|user] [-C COMMAND]...: does a newcomer's first minute work? Makes a
# minimal Debian (mmdebstrap's minbase, from the package sources of this host), copies a clean clone of
# the last commit into it, and runs the README's commands from nothing: as root, or as a user with
# sudo. Without a release: bookworm as root and as user, and trixie as root.
#
#   -C COMMAND   a command to run in place of the README's two; may be given several times
#
# On bookworm these are scripts/quickstart.sh and scripts/test.sh, on trixie scripts/quickstart.sh and
# the tests labelled unit, lint, cli, golden and mpi. Each command's last lines, exit status and time
# are printed; its whole output is kept in build/bare. Needs root, mmdebstrap, about 3 GB under
# RECFLEET_BARE_DIR (/var/tmp) and a network with Debian's packages; where a system cannot be made the
# exit status is 77. Killed with SIGKILL it leaves its folder there. The last line is "N passed, N failed", of the commands.
set -uo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

usage() {
    sed -n '3,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit "$1"
}

skip() {
    say "skipped: $*"
    [ "${failed:-0}" = 0 ] || exit 1
    exit 77
}

releases=() users=() commands=()
while [ $# -gt 0 ]; do
    case $1 in
    bookworm | trixie) releases+=("$1") ;;
    root | user) users+=("$1") ;;
    -C) [ $# -ge 2 ] || usage 2 >&2; commands+=("$2"); shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || skip "a bare system can only be made by root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed (apt-get install mmdebstrap)"
unshare --mount --pid --ipc --uts --fork true 2>/dev/null || skip "namespaces are not allowed here"
{ [ -e "$ROOT/.git" ] && command -v git >/dev/null; } || skip "it copies a clone, and this tree is none"

logs=$ROOT/build/bare
mkdir -p "$logs"
chown --reference="$ROOT" "$ROOT/build" "$logs"
base=$(mktemp -d "${RECFLEET_BARE_DIR:-/var/tmp}/recfleet-bare.XXXXXX") || die "no room to work in"
printf '[safe]\n\tdirectory = *\n' >"$base/gitconfig" # the tree may be another user's
export GIT_CONFIG_GLOBAL=$base/gitconfig
passed=0 failed=0 job=''
# --kill-child ends all of a system's processes with the unshare that started them.
trap '[ -z "$job" ] || { kill -KILL "$job"; wait "$job"; } 2>/dev/null
    rm -rf --one-file-system "$base"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# The package sources of this host that are Debian's, as lines for another release of it.
sources_of() {
    apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' \
        'Created-By: Packages' | awk -F'|' -v release="$1" '
        $1 == "Debian" {
            sub(/^[^-]*/, release, $3)
            print "deb", $2, $3, $4
        }' | sort -u
}

# What PID 1 of the namespaces does: SYSTEM USER HOME COMMAND. The system gets devices, a host name
# and a way to the network; the command gets a log-in's environment and nothing of this shell's.
inside() {
    local system=$1 user=$2 home=$3 command=$4 device path=/usr/local/bin:/usr/bin:/bin
    mount --make-rprivate / && mount -t proc proc "$system/proc" &&
        mount --rbind -o ro /sys "$system/sys" && mount -t tmpfs -o mode=755 dev "$system/dev" || return
    for device in null zero full random urandom tty; do
        touch "$system/dev/$device" && mount --bind "/dev/$device" "$system/dev/$device" || return
    done
    mkdir "$system/dev/shm" "$system/dev/pts" && mount -t tmpfs -o mode=1777 shm "$system/dev/shm" &&
        mount -t devpts -o newinstance,ptmxmode=0666 devpts "$system/dev/pts" || return
    ln -s pts/ptmx "$system/dev/ptmx"
    ln -s /proc/self/fd "$system/dev/fd"
    hostname bare
    [ "$user" = root ] && path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    chroot --userspec="$user:$user" "$system" /usr/bin/env -i HOME="$home" USER="$user" \
        LOGNAME="$user" PATH="$path" SHELL=/bin/bash LANG=C.UTF-8 TERM=dumb \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        /bin/bash -c "cd \"\$HOME/recfleet\" || exit; $command" </dev/null
}

# make_system RELEASE USER SYSTEM HOME: a minimal system with a clone that the user owns.
make_system() {
    local release=$1 user=$2 system=$3 home=$4 include=ca-certificates
    [ "$user" = root ] || include+=,sudo
    sources_of "$release" >"$base/sources"
    [ -s "$base/sources" ] || skip "this host has no package sources of Debian's"
    mmdebstrap --quiet --variant=minbase --include="$include" "$release" "$system" - \
        <"$base/sources" || skip "mmdebstrap cannot make $release here (see above)"
    cp -L /etc/resolv.conf "$system/etc/resolv.conf"
    printf '127.0.0.1 localhost bare\n::1 localhost\n' >"$system/etc/hosts"
    if [ "$user" != root ]; then
        chroot "$system" useradd --create-home --shell /bin/bash "$user" || return
        echo "$user ALL=(ALL) NOPASSWD: ALL" >"$system/etc/sudoers.d/$user"
    fi
    git clone --quiet --no-hardlinks "$ROOT" "$system$home/recfleet" &&
        chroot "$system" chown -R "$user:$user" "$home/recfleet"
}

# try RELEASE USER: all commands in one new system.
try() {
    local release=$1 user=$2 system=$base/$1-$2 home=/root start status log what i=0
    local todo=("${commands[@]}")
    if [ ${#todo[@]} = 0 ]; then
        todo=(scripts/quickstart.sh scripts/test.sh)
        [ "$release" = bookworm ] || todo[1]="scripts/test.sh -L '^(unit|lint|cli|golden|mpi)\$'"
    fi
    [ "$user" = root ] || { user=newcomer; home=/home/$user; }
    say "== $release, $2: making the system"
    start=$SECONDS
    if ! make_system "$release" "$user" "$system" "$home"; then
        say "== $release, $2: it could not be made"
        failed=$((failed + 1))
        return
    fi
    say "== $release, $2: made in $((SECONDS - start)) s"
    for what in "${todo[@]}"; do
        i=$((i + 1)) log=$logs/$release-$2-$i.log start=$SECONDS
        # What runs in the background ignores ^C; the signal tests inside would notice.
        (export -f inside; exec env --default-signal=INT,QUIT unshare --mount --pid --ipc --uts --fork \
            --kill-child bash -c 'inside "$@"' inside "$system" "$user" "$home" "$what") >"$log" 2>&1 &
        job=$!
        wait "$job"
        status=$? job=''
        say "== $release, $2: $what: exit status $status after $((SECONDS - start)) s; it ends with"
        tail -n 25 "$log" >&2
        if [ "$status" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
    rm -rf --one-file-system "$system"
}

[ -z "$(git -C "$ROOT" status --porcelain)" ] || say "note: what is not committed is not tried"
runs=()
for release in "${releases[@]:-bookworm}"; do
    # shellcheck disable=SC2116
    for user in $(echo "${users[@]:-root user}"); do runs+=("$release $user"); done
done
if [ ${#releases[@]} = 0 ] && [[ " ${users[*]:-root} " = *" root "* ]]; then
    runs+=("trixie root")
fi
for run in "${runs[@]}"; do
    # shellcheck disable=SC2086
    try $run
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
