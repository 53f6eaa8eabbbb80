#!/usr/bin/env bash
# Slurm 24.11.5: a job that asks to be queued again while it is preempted stays marked as preempted when it later completes.
#
# A preemption with a grace time tells the steps of a job. A batch script that heeds this and calls `scontrol requeue` for
# itself starts a second time, as it should, and `scontrol show job` no longer names a PreemptTime. But when that second
# run ends with 0, in a partition with PreemptMode=REQUEUE the job is queued again, and runs a third time; in one with
# PreemptMode=CANCEL its state is PREEMPTED, not COMPLETED, so that a job with --dependency=afterok on it never begins.
# With Slurm 22.05.8 (SUITE=bookworm: exits 1) both are COMPLETED after the second run, and the dependent jobs begin.
#
# As root; takes two minutes. Debian's slurm-wlm is installed into a temporary folder, and runs in namespaces of its own:
# a controller and two nodes, one for each partition.
set -euo pipefail
suite=${SUITE:-trixie}
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
MpiDefault=none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeAddr=10.99.0.1 NodeHostname=ctl Port=17001 State=UNKNOWN
NodeName=n2 NodeAddr=10.99.0.1 NodeHostname=ctl Port=17002 State=UNKNOWN
PartitionName=requeued Nodes=ALL PriorityTier=1 PreemptMode=REQUEUE GraceTime=60 Default=YES
PartitionName=cancelled Nodes=ALL PriorityTier=1 PreemptMode=CANCEL GraceTime=60
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF
CONF
cat >"$folder/srv/job.sh" <<'JOB'
#!/bin/bash
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then sleep 3; exit 0; fi
srun bash -c 'trap "exit 0" TERM; for i in $(seq 600); do sleep 0.2; done' # ends as soon as it is warned
scontrol requeue "$SLURM_JOB_ID"
sleep 30
JOB
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
for name in n1 n2; do slurmd -N "$name" >/dev/null 2>&1; done
until [ "$(sinfo -h -N -p high -o %T | grep -c '^idle$')" = 2 ]; do sleep 1; done
sinfo --version
field() { scontrol show job -o "$1" | grep -oE "\b$2=\S+" | head -n 1 | cut -d= -f2; }
submit() { sbatch --parsable --exclusive --output=/dev/null "$@"; }
requeued=$(submit -p requeued -w n1 --requeue /srv/job.sh)
cancelled=$(submit -p cancelled -w n2 --requeue /srv/job.sh)
for job in "$requeued" "$cancelled"; do until [ "$(field "$job" JobState)" = RUNNING ]; do sleep 1; done; done
sleep 3
for name in n1 n2; do submit -p high -w "$name" --wrap "sleep 1" >/dev/null; done
for job in "$requeued" "$cancelled"; do until [ "$(field "$job" Restarts)" = 1 ]; do sleep 1; done; done
after=$(submit -p high --dependency="afterok:$cancelled" --wrap true)
for _ in $(seq 60); do # a requeued job waits for two minutes, unless it is told to begin
  for job in "$requeued" "$cancelled"; do
    [ "$(field "$job" JobState)" != PENDING ] || scontrol update jobid="$job" starttime=now
  done
  sleep 1
done
found="$(field "$requeued" JobState) $(field "$requeued" Restarts), $(field "$cancelled" JobState) $(field "$after" Reason)"
echo "PreemptMode=REQUEUE: state and restarts; CANCEL: state, and why the job after it waits: $found"
[ "$found" = "COMPLETED 2, PREEMPTED DependencyNeverSatisfied" ]
TRY
unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL --mount-proc="$folder/proc" \
  bash -c 'mount --rbind /sys "$0/sys" && exec chroot "$0" bash /srv/try.sh' "$folder" # slurmd looks for control groups
echo "as described"
