#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh [build|test]: installs the Debian packages that recfleet is built from ("build"), and
# those its test suite also uses ("test", the default). Needs root or sudo only when something is
# missing; a second call changes nothing and needs no network. Slurm's daemons, which the tests start
# for themselves, are not started by being installed: they wait for a /etc/slurm/slurm.conf.
set -euo pipefail
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"

build_packages=(gcc libc6-dev make cmake pkg-config libopenmpi-dev openmpi-bin libhdf5-dev
    libgsl-dev libglpk-dev libyaml-dev librandom123-dev libxxhash-dev zlib1g-dev libhwloc-dev check)
# What it builds without: models that run for real (oneDNN), and models from ONNX files.
optional_packages=(libdnnl-dev libonnx-dev protobuf-c-compiler libprotobuf-c-dev)
test_packages=(git binutils hdf5-tools valgrind clang clang-format libclang-rt-dev
    man-db dpkg-dev file python3 python3-yaml python3-h5py python3-h5netcdf python3-netcdf4 python3-xarray
    python3-matplotlib netcdf-bin
    munge slurm-client slurmctld slurmd)

# The packages of "$@" that are not installed, one a line.
missing() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
}

# Runs apt-get as root, waiting for another apt to finish rather than failing beside it. What it
# prints goes to a file; the end of it is shown when it fails for a reason other than the network.
# Without one, `update` only warns, and what follows fails with other words.
network=there
apt() {
    local sudo=() log status=0
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    log=$(mktemp)
    # sudo forgets how to reach the network; the words below are English.
    "${sudo[@]}" env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        apt-get -qq -o DPkg::Lock::Timeout=500 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 || status=$?
    if grep -Eqi 'could not (resolve|connect)|failure resolving|unreachable|timed out' "$log"; then
        network=gone
    elif [ $status != 0 ] && ! grep -Eqi 'unable to locate|no installation candidate' "$log"; then
        network=there # one dead source among others is not what this call failed for
    fi
    [ $status = 0 ] || [ $network = gone ] || tail -n 20 "$log" >&2
    rm -f "$log"
    return $status
}

case ${1:-test} in
build) packages=("${build_packages[@]}") ;;
test) packages=("${build_packages[@]}" "${test_packages[@]}") ;;
*) die "unknown argument '$1': expected build or test" ;;
esac

command -v dpkg-query >/dev/null || die "this is not a Debian system. recfleet needs gcc, CMake 3.25," \
    "pkg-config, an MPI, HDF5 with HL, GSL, GLPK, libyaml, Random123, xxHash and zlib (and" \
    "Check for the tests, protobuf-c and onnx.proto to import models); with these in place:" \
    "cmake --preset release && cmake --build --preset release"

mapfile -t lacking < <(missing "${packages[@]}")
mapfile -t wanted < <(missing "${optional_packages[@]}")
if [ ${#lacking[@]} -gt 0 ]; then
    by_hand="install them with: apt-get install ${lacking[*]}"
    say "missing Debian packages: ${lacking[*]}"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "cannot install them: this is not root and there is no sudo; $by_hand"
    say "installing them (about a minute)"
    apt update || say "apt-get update failed; trying with the package lists that are there"
    if apt install -y --no-install-recommends "${lacking[@]}" "${wanted[@]}" 2>/dev/null; then
        wanted=()
    fi
    mapfile -t lacking < <(missing "${packages[@]}")
    [ ${#lacking[@]} = 0 ] || apt install -y --no-install-recommends "${lacking[@]}" || {
        [ $network = there ] || die "no network: apt-get reaches none of its servers; $by_hand"
        die "apt-get could not install them (see above); $by_hand"
    }
    mapfile -t lacking < <(missing "${packages[@]}")
    [ ${#lacking[@]} = 0 ] || die "still missing after apt-get: ${lacking[*]}"
elif [ ${#wanted[@]} -gt 0 ] && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
    ! apt install -y --no-install-recommends "${wanted[@]}" 2>/dev/null || wanted=()
fi
[ ${#wanted[@]} = 0 ] ||
    say "it builds without ${wanted[*]}, but recfleet profile and serve run no models (libdnnl-dev)," \
        "or recfleet model imports none (the others)"

version=$(cmake --version | sed -n '1s/.* //p')
[ "$(printf '3.25\n%s\n' "$version" | sort -V | head -n 1)" = 3.25 ] ||
    die "cmake is $version ($(command -v cmake)); recfleet needs 3.25 or later"

# Open MPI looks the name up when it starts, and waits for name servers where the file lacks it.
timeout 1 getent hosts localhost >/dev/null ||
    say "note: /etc/hosts does not know localhost, every run may wait 5 s: add the line \"127.0.0.1 localhost\""
