#!/usr/bin/env bash
# sbatch --nodes=N --gpus-per-node=G slurm.sh STUDY RESULTS [further options of `orchestrate run`]
# RESULTS lies on storage that all nodes share. Submit it again to go on.
#SBATCH --job-name=orchestrate
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

study=${1:?name or path of a study}
results=${2:?a results folder that all nodes share}
shift 2

RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n') # nobody else on these nodes may run code
export RAY_AUTH_MODE RAY_AUTH_TOKEN

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p) # reads to the end: `head` would end scontrol by SIGPIPE, and pipefail this script
address="$head:6379"

# Ask the run itself to stop in time too, where Slurm says when the job ends.
budget=()
if [ -n "${SLURM_JOB_END_TIME:-}" ]; then
  budget=(--time-budget "$((SLURM_JOB_END_TIME - $(date +%s) - 180))")
fi

srun --kill-on-bad-exit=0 \
  ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
  orchestrate run "$study" --address "$address" --results "$results" "${budget[@]}" "$@" &
job=$!
# Slurm sends SIGTERM to this shell only (B:): hand it on, and wait for the clean end.
trap 'kill -TERM "$job"' TERM
wait "$job" || wait "$job"
