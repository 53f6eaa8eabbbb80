#!/usr/bin/env bash
# sbatch --nodes=4 --exclusive --gpus-per-node=4 slurm.sh STUDY RESULTS [further options of `orchestrate run`]
# sbatch --nodes=2 --cpus-per-task=8 --gpus-per-node=1 slurm.sh STUDY RESULTS     parts of nodes
# sbatch --nodes=4 --exclusive --array=0-2%1 slurm.sh STUDY,STUDY,STUDY RESULTS   one study after another
# RESULTS lies on storage that all nodes share. Submit it again to go on.
#SBATCH --job-name=orchestrate
#SBATCH --ntasks-per-node=1
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --open-mode=append

# Here is the place to load modules and to activate the environment that this project is installed in.

if ! python3 -P -c "import orchestrator" 2>/dev/null; then
  echo "orchestrate: $(command -v python3) does not have this project: activate its environment above, or before sbatch" >&2
  exit 2
fi
exec python3 -P -m orchestrator.deploy.slurm_job "$@"
