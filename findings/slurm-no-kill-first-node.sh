#!/usr/bin/env bash
# Slurm 22.05.8: a batch job submitted with --no-kill stays "RUNNING" without its script when its first node fails.
#
# sbatch(1) says of --no-kill that a job is not terminated if one of its nodes fails, and of --requeue that a job may be
# queued again after a node failure. When the node that fails is the first one, the batch script is gone with it. The job
# loses that node and stays RUNNING on the others, with whatever its steps left there and nobody who could end or go on:
# until its time limit, without being queued again. The same job without --no-kill is queued again at once.
# The same was seen with Slurm 24.11.5 (Debian trixie: SUITE=trixie).
#
# As root; takes four minutes. Debian's slurm-wlm is installed into a temporary folder, and runs in namespaces of its own:
# a controller and two nodes, of which the first is ended with all its processes, as by a loss of power.
set -euo pipefail
suite=${SUITE:-bookworm}
folder=$(mktemp -d) && chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=slurm-wlm,munge,iproute2,procps "$suite" "$folder" >/dev/null
cat >"$folder/etc/slurm/slurm.conf" <<'CONF'
ClusterName=finding
SlurmctldHost=ctl
SlurmUser=root
SlurmdUser=root
StateSaveLocation=/srv/state
SlurmdSpoolDir=/srv/%n
SlurmdPidFile=/srv/%n.pid
SlurmctldPidFile=/srv/slurmctld.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SlurmdParameters=config_overrides
SlurmdTimeout=20
MpiDefault=none
NodeName=n1 NodeAddr=10.99.0.1 NodeHostname=ctl Port=17001 State=UNKNOWN
NodeName=n2 NodeAddr=10.99.0.1 NodeHostname=ctl Port=17002 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES
CONF
cat >"$folder/srv/try.sh" <<'TRY'
set -euo pipefail
ip link set lo up
ip link add net type bridge
ip address add 10.99.0.1/24 dev net
ip link set net up
hostname ctl
echo "10.99.0.1 ctl" >/etc/hosts
mkdir -p /srv/state /srv/n1 /srv/n2 /run/munge
head -c 1024 /dev/urandom >/etc/munge/munge.key
chown munge: /etc/munge/munge.key /run/munge && chmod 400 /etc/munge/munge.key
setpriv --reuid munge --regid munge --clear-groups munged
slurmctld -c
node() { unshare --pid --fork --kill-child=KILL slurmd -D -N "$1" >/dev/null 2>&1 & }
node n1
echo $! >/srv/first
node n2
idle() { until [ "$(sinfo -h -N -o %T | grep -c '^idle$')" = 2 ]; do sleep 1; done; }
state() { scontrol show job -o "$1" | grep -oE "JobState=\S+|Restarts=\S+|BatchHost=\S+| NodeList=\S+" | tr '\n' ' '; }
try() { # prints what has become of a job, a minute after its first node was called down
  local job
  job=$(sbatch --parsable --nodes=2 --requeue --output=/dev/null "$@" --wrap "srun --no-kill sleep 600")
  until [[ $(state "$job") == *RUNNING* ]]; do sleep 1; done
  sleep 3
  kill -9 "$(cat /srv/first)" # with it, its child, and so the whole namespace of the node
  until [[ $(sinfo -h -N -n n1 -o %T) == down* ]]; do sleep 1; done
  sleep 60
  state "$job"
}
idle
sinfo --version
kept=$(try --no-kill)
scancel --user=root
node n1
echo $! >/srv/first
scontrol update nodename=n1 state=resume 2>/dev/null || true
idle
plain=$(try)
echo "with --no-kill, a minute after the first node was called down: $kept"
echo "without:                                                       $plain"
[[ $kept == *JobState=RUNNING*Restarts=0* && $plain == *JobState=PENDING*Restarts=1* ]]
TRY
unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL --mount-proc="$folder/proc" \
  bash -c 'mount --rbind /sys "$0/sys" && exec chroot "$0" bash /srv/try.sh' "$folder" # slurmd looks for control groups
echo "as described"
