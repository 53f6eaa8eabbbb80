"""Studies submitted by `slurm.sh` to a real Slurm that ends jobs in all its ways: nothing is left, nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_rig.cluster import Slurm
from slurm_rig.jobs import NOTHING_LOST, Studies

pytestmark = pytest.mark.slow  # a real Slurm, and a Ray for each job

NAP = 0.5
"""Seconds of an epoch: a bundle of four takes twelve."""
NEIGHBOUR = Path(__file__).parent / "neighbour.sh"


@pytest.fixture(autouse=True)
def whole(slurm: Slurm) -> Iterator[None]:
    """Every test finds all nodes up and idle, and leaves them so."""
    yield
    slurm.clear()


def test_a_study_on_two_nodes_ends_with_0_and_leaves_nothing(studies: Studies) -> None:
    job = studies.submit("plain")
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


def test_a_cancelled_job_leaves_in_good_order_and_the_same_one_goes_on(studies: Studies) -> None:
    job = studies.submit("cancelled", nap=NAP)
    job.until_training()
    studies.slurm.command("scancel", job.number)
    assert job.ended(20) == ("CANCELLED", "130:0")
    assert NOTHING_LOST in job.said
    studies.again(job)


def test_a_job_cancelled_with_a_signal_to_every_process_leaves_with_the_sentence_too(studies: Studies) -> None:
    job = studies.submit("full", nap=NAP)
    job.until_training()
    studies.slurm.command("scancel", "--full", "--signal=TERM", job.number)  # to srun too, which has its step killed
    assert job.ended(40) == ("FAILED", "130:0")
    assert NOTHING_LOST in job.said
    studies.again(job)


def test_a_signal_to_the_batch_script_alone_ends_the_run_with_130(studies: Studies) -> None:
    job = studies.submit("signal", nap=NAP)
    job.until_training()
    studies.slurm.command("scancel", "--batch", "--signal=TERM", job.number)  # what `--signal=B:TERM@60` sends
    assert job.ended(20) == ("FAILED", "130:0")
    assert NOTHING_LOST in job.said
    studies.again(job)


@pytest.mark.parametrize("partition", ["low", "cancelled"])
def test_a_preempted_job_makes_way_within_its_grace_time_and_goes_on_by_itself(
    studies: Studies, partition: str
) -> None:
    job = studies.submit(f"preempted-{partition}", f"--partition={partition}", nap=NAP)
    job.until_training()
    before = time.monotonic()
    other = studies.slurm.submit("--partition=high", "--nodes=3", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
    studies.slurm.wait(other, "RUNNING", "COMPLETED", seconds=45)
    assert time.monotonic() - before < 45, "sooner than the grace time of a minute"
    job.until_queued_again()
    assert NOTHING_LOST in job.said
    assert "goes on by itself" in job.said
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


def test_a_run_stops_by_itself_before_a_limit_of_two_minutes(studies: Studies) -> None:
    job = studies.submit("limit", "--time=2", "--signal=B:TERM@1", nap=3.0)
    assert job.ended() == ("FAILED", "130:0"), job.said
    assert "time budget" in job.said
    assert NOTHING_LOST in job.said
    studies.again(job)


def test_a_run_that_comes_to_the_limit_leaves_in_good_order(studies: Studies) -> None:
    job = studies.submit("late", "--time=1", "--signal=B:CONT@1", nap=3.0, more=("--time-budget", "0"))
    state, status = job.ended()
    assert (state, status) == ("TIMEOUT", "130:0"), job.said
    assert NOTHING_LOST in job.said
    studies.again(job)


def test_a_requeued_job_goes_on(studies: Studies) -> None:
    job = studies.submit("requeued", nap=NAP)
    job.until_training()
    studies.slurm.command("scontrol", "requeue", job.number)
    job.until_queued_again()
    assert NOTHING_LOST in job.said
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


def test_a_node_that_fails_costs_the_job_that_node_only(studies: Studies) -> None:
    job = studies.submit("node", nap=NAP)
    job.until_training()
    studies.slurm.machine(job.nodes[1]).power_off()
    assert job.ended(300) == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


def test_a_job_whose_first_node_fails_is_queued_again_and_goes_on(studies: Studies) -> None:
    job = studies.submit("first-node", nap=NAP)
    job.until_training()
    studies.slurm.machine(job.nodes[0]).power_off()
    job.until_queued_again()
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)


@pytest.mark.parametrize("end", ["by itself", "scancel"])
def test_the_ray_of_another_job_on_the_same_node_lives_on(studies: Studies, end: str, tmp_path: Path) -> None:
    beats = studies.folder / f"beats-{end}"
    beats.touch()
    part = ("--nodes=1", "--nodelist=n1", "--cpus-per-task=1")
    other = studies.slurm.submit(*part, "--output=/dev/null", NEIGHBOUR, beats)
    job = studies.submit(f"neighbour-{end[:2]}", *part, nap=0.0 if end == "by itself" else NAP)
    if end == "scancel":
        job.until_training()
        studies.slurm.command("scancel", job.number)
    state, _ = job.ended()
    assert state == ("COMPLETED" if end == "by itself" else "CANCELLED"), job.said
    before = beats.read_text().split()
    time.sleep(3)
    after = beats.read_text().split()
    assert len(after) > len(before) > 0
    assert after == [str(number) for number in range(1, len(after) + 1)], "the same actor all along"
    studies.slurm.command("scancel", other)


def test_two_runs_on_parts_of_one_node_do_not_know_of_each_other(studies: Studies) -> None:
    part = ("--nodes=1", "--nodelist=n1", "--cpus-per-task=1")
    one, other = studies.submit("left", *part, nap=NAP), studies.submit("right", *part, nap=0.1)
    one.until_training()
    studies.slurm.command("scancel", one.number)
    assert one.ended(20) == ("CANCELLED", "130:0")
    assert other.ended() == ("COMPLETED", "0:0"), other.said
    studies.require_whole(other.results)


@pytest.mark.parametrize("limit", ["%1", ""])
def test_a_job_array_of_studies_shares_a_results_folder(studies: Studies, limit: str) -> None:
    names = "strides,steps"
    where = ("--nodes=1", "--cpus-per-task=1", f"--array=0-1{limit}")
    job = studies.submit(f"array{len(limit)}", *where, names=names)
    for task in (f"{job.number}_0", f"{job.number}_1"):
        found = studies.slurm.wait(task, "COMPLETED", "FAILED", seconds=240)
        assert (found["JobState"], found["ExitCode"]) == ("COMPLETED", "0:0"), job.said
    job.require_gone()
    job.require_readable()
    studies.require_whole(job.results, names)


@pytest.mark.parametrize("victim", ["orchestrator.deploy.slurm_job", "orchestrator run", "the step"])
def test_whatever_is_killed_nothing_stays_and_the_same_job_goes_on(studies: Studies, victim: str) -> None:
    job = studies.submit(f"killed-{len(victim)}", nap=NAP)
    job.until_training()
    if victim == "the step":
        studies.slurm.command("scancel", f"{job.number}.0")
    else:
        job.tidies_up = victim == "orchestrator run"
        job.process(victim).kill()
    state, _ = job.ended(60)
    assert state == "FAILED"
    studies.again(job)


def test_a_suspended_job_goes_on_when_it_is_resumed(studies: Studies) -> None:
    job = studies.submit("suspended", nap=NAP)
    job.until_training()
    studies.slurm.command("scontrol", "suspend", job.number)
    time.sleep(20)
    studies.slurm.command("scontrol", "resume", job.number)
    assert job.ended() == ("COMPLETED", "0:0"), job.said
    studies.require_whole(job.results)
