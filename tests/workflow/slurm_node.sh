#!/usr/bin/env bash
# A Slurm of one node, this machine, in a folder of its own: slurmctld, slurmd and munged as root, no accounting.
#   tests/workflow/slurm_node.sh up DIR [CPUS] 
#   tests/workflow/slurm_node.sh down DIR
set -euo pipefail
action=$1 dir=$(realpath -m -- "$2") cpus=${3:-$(nproc --all)}
export SLURM_CONF=$dir/slurm.conf

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Slurm's programs look here; SLURM_CONF would not do, as Snakemake's plug-in takes SLURM_* out of its jobs' environment.
default=/etc/slurm/slurm.conf

up() {
  if [ -e $default ] && [ "$(readlink $default)" != "$SLURM_CONF" ]; then
    echo "slurm_node: $default: this machine has a Slurm of its own" >&2
    exit 77
  fi
  local name memory
  name=$(hostname -s) memory=$(awk '/^MemTotal/ { print int($2 / 1024) - 100 }' /proc/meminfo)
  mkdir -p "$dir/state" "$dir/spool"
  (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
  chmod 755 "$dir"
  munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munged.log" --seed-file="$dir/munge.seed" --num-threads=2
  cat >"$SLURM_CONF" <<CONF
ClusterName=vqnat
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=100000
KillWait=3
ReturnToService=2
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
NodeName=$name NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=$name Default=YES MaxTime=INFINITE State=UP
CONF
  mkdir -p "$(dirname $default)"
  ln -sfn "$SLURM_CONF" $default
  slurmctld
  slurmd
  for _ in $(seq 60); do
    sinfo --noheader --format=%t 2>/dev/null | grep -qx idle && return
    sleep 0.5
  done
  echo "slurm_node: the node did not become idle; see $dir/slurmctld.log" >&2
  tail -n 5 "$dir/slurmctld.log" "$dir/slurmd.log" >&2
  exit 1
}

down() {
  scancel --quiet --user=root 2>/dev/null || true
  for daemon in slurmd slurmctld munged; do
    [ ! -f "$dir/$daemon.pid" ] || kill "$(cat "$dir/$daemon.pid")" 2>/dev/null || true
  done
  [ "$(readlink $default)" != "$SLURM_CONF" ] || rm $default
}

"$action"
