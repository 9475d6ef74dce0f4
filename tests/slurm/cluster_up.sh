#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cluster_up.sh DIR NODES CPUS [OWNER [USER]]: a private Slurm of several virtual nodes on this host, with
# everything it writes under the existing folder DIR, which becomes root's. It needs root, or sudo that
# asks for no password, but neither systemd nor cgroups nor a database, and disturbs no other Slurm: its
# ports are free ones of its own. USER, by default whoever called it, is
# its administrator.
#
# Afterwards commands with SLURM_CONF=DIR/slurm.conf belong to it. cluster_down.sh DIR stops it. With
# OWNER, a process id, a guard stops it when that process is gone, however it went, and removes DIR.
#
# Exit status: 0 up, 77 it cannot be had here (one line says why).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath "$1") nodes=$2 cpus=$3 owner=${4:-} user=${5:-$(id -un)}
host=$(hostname -s)
PATH=$PATH:/usr/sbin:/sbin

lacking() {
    echo "no private Slurm: $*" >&2
    exit 77
}

for program in munged slurmctld slurmd sbatch srun scontrol; do
    command -v "$program" >/dev/null || lacking "$program is not installed (scripts/setup.sh test)"
done
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null ||
        lacking "its daemons must be started by root, and sudo is not there or asks for a password"
    exec sudo -n "$here/cluster_up.sh" "$dir" "$nodes" "$cpus" "$owner" "$user"
fi

# Prints a port such that it and the next `nodes` are free, below those the kernel deals out.
free_ports() {
    local taken base port try
    taken=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk '$4 == "0A" {split($2, a, ":"); print a[length(a)]}' |
        while read -r port; do echo "$((16#$port))"; done)
    for try in $(seq 50); do
        base=$((20000 + (RANDOM * 32768 + RANDOM + try) % 1100 * 10))
        for port in $(seq "$base" $((base + nodes))); do
            grep -qx "$port" <<<"$taken" && continue 2
        done
        echo "$base"
        return
    done
    return 1
}

# All nodes are this host: what Slurm or MPI keeps in a node's memory or folders needs the node's
# name in it. Oversubscribing lets tests ask for more ranks than there are cores.
write_config() {
    local base=$1 memory n
    memory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo)
    cat <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=5
SlurmctldPort=$base
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/tmp/%n
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog=$dir/task_prolog
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobs
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=2,bf_interval=2
MpiDefault=pmix
MailProg=/bin/true
ReturnToService=2
JobRequeue=1
KillWait=5
MessageTimeout=10
MinJobAge=3600
MaxArraySize=1001
PropagateResourceLimits=NONE
END
    for n in $(seq "$nodes"); do
        echo "NodeName=n$n NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + n)) CPUs=$cpus" \
            "RealMemory=$((memory / nodes)) State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4"
}

# Shared memory of Open MPI must not be shared between "nodes".
write_prolog() {
    cat <<END
#!/bin/sh
echo "export OMPI_MCA_btl_vader_backing_directory=$dir/tmp/\$SLURMD_NODENAME"
echo "export OMPI_MCA_mpi_yield_when_idle=1"
# The nodes are one host, so they reach each other by the loopback interface. Over a real one Open MPI
# 4.1.4 crashed in MPI_Init (btl_tcp, two ranks connecting to each other at once) in 1 of 25 starts.
echo "export OMPI_MCA_btl_tcp_if_include=lo"
END
}

# daemon NAME COMMAND...: in the background, in a session of its own as sudo may end its own with a
# hang-up; its id in DIR/pids.
daemon() {
    local name=$1
    shift
    setsid "$@" </dev/null >"$dir/log/$name.out" 2>&1 &
    echo "$!" >>"$dir/pids"
}

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

all_idle() {
    [ "$(sinfo -h -o %D -t idle 2>/dev/null | awk '{n += $1} END {print n + 0}')" = "$nodes" ]
}

# A daemon that has ended is a zombie until this script waits for it.
daemons_run() {
    local pid
    while read -r pid; do
        [ "$(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat" 2>/dev/null)" != Z ] && [ -d "/proc/$pid" ] ||
            return 1
    done <"$dir/pids"
}

decided() { all_idle || ! daemons_run; }

export SLURM_CONF=$dir/slurm.conf
start() {
    local base n
    base=$(free_ports) || return 1
    rm -rf "$dir/state" "$dir/spool" "$dir/log"
    mkdir -p "$dir/state" "$dir/spool" "$dir/log" "$dir/tmp" "$dir/run"
    chown "$user" "$dir/state" "$dir/log" "$dir/run"
    : >"$dir/pids"
    write_config "$base" >"$SLURM_CONF"
    chown "$user" "$SLURM_CONF"
    write_prolog >"$dir/task_prolog"
    chmod 755 "$dir/task_prolog"
    # Debian's default wants to look at a cgroup file system, which may not be mounted.
    echo CgroupPlugin=cgroup/v1 >"$dir/cgroup.conf"
    (umask 077 && head -c 128 /dev/urandom >"$dir/munge.key")
    daemon munged munged --foreground --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
        --pid-file="$dir/munged.pid" --log-file="$dir/log/munged" --seed-file="$dir/munge.seed"
    until_true 10 test -S "$dir/munge.socket" || return 1
    daemon slurmctld slurmctld -D -f "$SLURM_CONF"
    for n in $(seq "$nodes"); do
        mkdir -p "$dir/spool/n$n" "$dir/tmp/n$n"
        chmod 1777 "$dir/tmp/n$n"
        daemon "slurmd.n$n" slurmd -D -N "n$n" -f "$SLURM_CONF"
    done
    until_true 30 decided && all_idle
}

# munged wants nobody but root to be able to replace its socket.
chown root: "$dir"
chmod 755 "$dir"
# Between looking for free ports and taking them somebody else may take them.
start || { "$here/cluster_down.sh" "$dir" && start; } || {
    said=$(tail -qn 3 "$dir"/log/*.out "$dir"/log/slurmctld 2>/dev/null | tail -n 6)
    "$here/cluster_down.sh" "$dir" || true
    lacking "its daemons do not start: $said"
}

if [ -n "$owner" ]; then
    env -u SLURM_CONF setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
        "$2/cluster_down.sh" "$3" --remove' guard "$owner" "$here" "$dir" \
        </dev/null >/dev/null 2>&1 &
fi
