"""Studies submitted by `slurm.sh` to a real Slurm that ends jobs in all its ways: clean ends, nothing left, nothing lost."""

from __future__ import annotations

import time

import pytest
from slurm_rig.cluster import Slurm
from slurm_rig.jobs import NOTHING_LOST, Studies

pytestmark = pytest.mark.slow  # a real Slurm, and a Ray for each job

NAP = 0.5
"""Seconds of an epoch: a bundle of four takes twelve."""


def test_a_study_on_two_nodes_ends_with_0_and_leaves_nothing(studies: Studies) -> None:
    job = studies.submit(studies.folder / "plain")
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


def test_a_cancelled_job_leaves_checkpoints_and_the_same_one_goes_on(studies: Studies) -> None:
    job = studies.submit(studies.folder / "cancelled", nap=NAP)
    job.until_training()
    began = time.monotonic()
    studies.slurm.command("scancel", job.number)
    state, _ = job.ended()
    print("gone", time.monotonic() - began, state, _)
    assert state == "CANCELLED"
    assert NOTHING_LOST in job.said
    again = studies.submit(job.results)
    assert again.ended() == ("COMPLETED", "0:0"), again.said
    studies.require_whole(job.results)
