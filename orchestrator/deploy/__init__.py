"""A run on machines that a batch system lends: Ray on each of them for as long as the job lasts, and nothing after it.

The files beside this one are what users submit: `slurm.sh` for Slurm, `rayjob.yaml` for Kubernetes.
"""
