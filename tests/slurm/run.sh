#!/usr/bin/env bash
# Installs Slurm (Debian's or Ubuntu's packages; as root, in a container or on a machine of your own), then runs the tests.
# bash tests/slurm/run.sh [options of pytest]
# Another release of Slurm runs from a folder of its own, with Python and this checkout from here:
#   debootstrap --variant=minbase --include=slurm-wlm,munge,iproute2,procps trixie FOLDER
#   SLURM_ROOT=FOLDER bash tests/slurm/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
for program in slurmctld slurmd munged ip nsenter; do
  command -v "$program" >/dev/null && continue
  apt-get update # RUNLEVEL=1: what is installed is not started
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge iproute2 util-linux
  break
done
exec pytest -m slow -n 0 tests/slurm "$@"
