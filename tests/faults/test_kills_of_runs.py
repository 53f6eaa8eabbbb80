"""`orchestrate run` killed or interrupted at random moments: the same command ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from kill_rig.drivers import Forked, Spawned, Zygote, argv, ended, is_gone, kill_family
from kill_rig.histories import Histories, Tally
from kill_rig.views import require_sound

from orchestrator.ledger import Ledger

pytestmark = pytest.mark.slow  # real commands, killed and started again

NOTHING_LOST = "nothing is lost: run the same command again to go on"


@pytest.fixture(scope="module")
def histories(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Histories:
    """The rig after its quiet run, without reports: they take longer than the training."""
    return Histories(tmp_path_factory.mktemp("histories"), zygote, Tally(seed=0), answers=False)


@pytest.fixture(scope="module")
def answered(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Histories:
    """The rig after its quiet run, comparing verdicts too."""
    return Histories(tmp_path_factory.mktemp("answered"), zygote, Tally(seed=0))


def wait_for(place: Path, driver: Forked | Spawned) -> None:
    """Return when a run has written `place` (whose name may be a pattern)."""
    deadline = time.monotonic() + 120
    while not list(place.parent.glob(place.name)):
        assert driver.poll() is None, driver.out.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_a_bundle_after_the_first(results: Path, driver: Forked | Spawned) -> None:
    """Return when trials are in the ledger, and another bundle is under way and has a checkpoint."""
    wait_for(results / "trials/*.parquet", driver)
    ending = set(Ledger(results).checkpoints.unfinished())  # the one whose trials these are may not have cleared up yet
    deadline = time.monotonic() + 60
    while not set(Ledger(results).checkpoints.unfinished()) - ending:
        assert driver.poll() is None, driver.out.read_text()
        assert time.monotonic() < deadline


@pytest.mark.sample
def test_a_run_that_is_killed_again_and_again_ends_like_a_quiet_one(histories: Histories) -> None:
    histories.inline(kills=4)
    assert histories.tally.kills == {"inline driver": 4}
    assert histories.tally.histories >= 1


@pytest.mark.slow
@pytest.mark.sample
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_verdict(answered: Histories) -> None:
    answered.inline(kills=12)


def test_workers_drivers_and_raylets_die_and_the_study_ends_like_a_quiet_one(answered: Histories) -> None:
    answered.ray(kills=4)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=(pytest.mark.slow, pytest.mark.sample))]
)
def test_an_interrupted_run_exits_with_130_says_that_nothing_is_lost_and_goes_on(
    histories: Histories, zygote: Zygote, tmp_path: Path, number: int
) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = zygote.start(argv(results, "inline"), out, 0.05)  # a bundle takes a second
    wait_for_a_bundle_after_the_first(results, driver)
    driver.send(number)
    assert ended(driver, 15) == 130, out.read_text()
    assert NOTHING_LOST in out.read_text()
    assert "Traceback" not in out.read_text()
    assert Ledger(results).checkpoints.unfinished(), "the bundle under way leaves a checkpoint"
    complete = require_sound(results, histories.quiet, set())
    again = zygote.start(argv(results, "inline"), out, 0.0, answers=False)
    assert ended(again) == 0, out.read_text()
    require_sound(results, histories.quiet, complete)
    histories.view(results, out).require_equal(histories.quiet)


@pytest.mark.sample
@pytest.mark.parametrize("moment", ["imports", "planning", "report"])
def test_a_signal_before_and_after_the_training_ends_the_command_with_130_too(tmp_path: Path, moment: str) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = Spawned(argv(results, "inline"), out, 0.0)
    try:
        if moment == "imports":
            catches(driver, signal.SIGTERM)
        elif moment == "planning":
            wait_for(results / "lock", driver)
        else:
            wait_for(results / "studies/walks/tables/arms*", driver)  # the first of its files
        driver.send(signal.SIGTERM)
        assert ended(driver, 15) == 130, out.read_text()
    finally:
        kill_family(driver)
    said = out.read_text()
    assert "Traceback" not in said
    assert f'{{"error": "interrupted; {NOTHING_LOST}", "exit_status": 130}}\n' in said
    assert said.endswith(f"orchestrate: interrupted; {NOTHING_LOST}\n")


def catches(driver: Spawned, number: int) -> None:
    """Return when a process has a handler for a signal."""
    deadline = time.monotonic() + 60
    while not int(Path(f"/proc/{driver.pid}/status").read_text().split("SigCgt:")[1].split()[0], 16) >> number - 1 & 1:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_second_interrupt_leaves_at_once_and_loses_nothing(
    histories: Histories, zygote: Zygote, tmp_path: Path
) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = zygote.start(argv(results, "inline"), out, 3.0)  # an epoch longer than anyone's patience
    wait_for(results / "studies/walks/study.json", driver)
    time.sleep(0.2)  # until the first epoch is under way
    driver.send(signal.SIGINT)
    time.sleep(0.2)
    started = time.monotonic()
    driver.send(signal.SIGINT)
    assert ended(driver, 10) == 130, out.read_text()
    assert time.monotonic() - started < 2.5
    assert "Traceback" not in out.read_text()
    require_sound(results, histories.quiet, set())


@pytest.mark.sample
def test_a_second_run_on_the_same_results_names_the_first_and_leaves(zygote: Zygote, tmp_path: Path) -> None:
    results = tmp_path / "results"
    first = zygote.start(argv(results, "inline"), tmp_path / "first.txt", 0.05)
    try:
        wait_for(results / "trials/*.parquet", first)
        second = zygote.start(argv(results, "inline"), tmp_path / "second.txt", 0.0)
        assert ended(second) == 2
        said = (tmp_path / "second.txt").read_text()
        assert f"is in use by process {first.pid} on" in said
        assert "Traceback" not in said
        assert first.poll() is None
    finally:
        kill_family(first)


@pytest.mark.slow
@pytest.mark.sample
def test_a_killed_run_goes_on_from_its_checkpoints_on_another_machine(
    histories: Histories, zygote: Zygote, tmp_path: Path
) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = zygote.start(argv(results, "inline"), out, 0.05, host="moon")
    wait_for(results / "trials/*.parquet", driver)
    early = zygote.start(argv(results, "inline"), tmp_path / "early.txt", 0.0, host="mars")
    assert ended(early) == 2
    assert "is in use by process" in (tmp_path / "early.txt").read_text()
    wait_for_a_bundle_after_the_first(results, driver)
    driver.send(signal.SIGKILL)
    assert ended(driver) == -signal.SIGKILL
    complete = require_sound(results, histories.quiet, set())
    assert complete
    assert Ledger(results).checkpoints.unfinished()
    again = zygote.start(argv(results, "inline"), out, 0.0, answers=False, host="mars")
    assert ended(again) == 0, out.read_text()
    assert "to be sure that it is gone" in out.read_text()
    assert "starts afresh" not in out.read_text()
    require_sound(results, histories.quiet, complete)
    histories.view(results, out).require_equal(histories.quiet)


@pytest.mark.slow
@pytest.mark.sample
def test_a_full_disk_ends_the_run_in_one_line_and_the_same_command_goes_on(
    histories: Histories, zygote: Zygote, tmp_path: Path
) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = zygote.start(argv(results, "inline"), out, 0.0, file_size=8_000)
    assert ended(driver) == 2, out.read_text()
    said = out.read_text()
    assert "cannot be written: File too large" in said
    assert "Traceback" not in said
    complete = require_sound(results, histories.quiet, set())
    again = zygote.start(argv(results, "inline"), out, 0.0, answers=False)
    assert ended(again) == 0, out.read_text()
    require_sound(results, histories.quiet, complete)
    histories.view(results, out).require_equal(histories.quiet)


@pytest.mark.slow
@pytest.mark.sample
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_through_ray_exits_in_time_and_leaves_no_process(
    histories: Histories, tmp_path: Path, number: int
) -> None:
    results, out = tmp_path / "results", tmp_path / "out.txt"
    driver = Spawned(argv(results, "local"), out, 0.05)
    try:
        wait_for(results / "trials/*.parquet", driver)
        os.kill(driver.pid, number)
        assert ended(driver, 15) == 130, out.read_text()
        assert NOTHING_LOST in out.read_text()
        assert "Traceback" not in out.read_text()
        assert is_gone(driver, 5), [process.cmdline() for process in driver.family()]
    finally:
        kill_family(driver)
    require_sound(results, histories.quiet, set())
