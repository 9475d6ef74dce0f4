#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cluster_down.sh DIR [--remove]: stops the Slurm that cluster_up.sh started there, its jobs first, and
# removes DIR if asked to. It touches only processes that were started for that folder, and may be
# called again.
set -uo pipefail
dir=$(realpath "$1") remove=${2:-}
[ "$(id -u)" = 0 ] || exec sudo -n "$(realpath "${BASH_SOURCE[0]}")" "$dir" "$remove"
export SLURM_CONF=$dir/slurm.conf
finish() {
    [ "$remove" != --remove ] || rm -rf "$dir"
    exit 0
}
[ -s "$dir/pids" ] || finish

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

no_jobs() { [ -z "$(timeout 5 squeue -h 2>/dev/null)" ]; }

# What jobs of this cluster have left: Slurm's step daemons, and processes with a job's environment.
left() {
    local pid
    grep -lsaF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
        if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = slurmstepd ] ||
            grep -qsaF SLURM_JOB_ID= "/proc/$pid/environ"; then
            echo "$pid"
        fi
    done
}

# A daemon that has ended may stay as a zombie where nobody waits for orphans.
all_gone() {
    local pid
    while read -r pid; do
        case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in
        '' | Z*) ;;
        *) return 1 ;;
        esac
    done <"$dir/pids"
}

signal_all() {
    local pid
    tac "$dir/pids" | while read -r pid; do kill -"$1" "$pid" 2>/dev/null; done
}

for state in PENDING RUNNING; do
    timeout 5 squeue -h -t $state -o %A 2>/dev/null | xargs -r timeout 10 scancel 2>/dev/null
done
until_true 8 no_jobs
signal_all TERM
until_true 10 all_gone || signal_all KILL
: >"$dir/pids"
for pid in $(left); do
    kill -KILL "$pid" 2>/dev/null
done
finish
