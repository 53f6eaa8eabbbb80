"""The ledger's writer killed: before every single step on the disk, and with SIGKILL at random moments."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from kill_rig.countdown import Countdown

from orchestrator.errors import LedgerLockedError
from orchestrator.ledger import Ledger
from orchestrator.ledger.rows import compaction
from orchestrator.trial import TrialOutcome, TrialSpec, TrialState

N_EPOCHS = 3

STRIDES = pytest.mark.parametrize("stride", [4, pytest.param(1, marks=(pytest.mark.slow, pytest.mark.sample))])
"""Quick: killed before every fourth step; slow: before each."""


def outcome(seed: int) -> TrialOutcome:
    spec = TrialSpec(method="m", method_version=1, config={"lr": 0.1}, dataset="d", dataset_digest="x", seed=seed)
    return TrialOutcome(spec=spec, attempt=1, state=TrialState.COMPLETE, metrics={"acc": seed / 7})


def epochs(*seeds: int) -> pa.Table:
    each = [(outcome(seed), epoch) for seed in seeds for epoch in range(N_EPOCHS)]
    return pa.table(
        {
            "trial_id": [one.spec.trial_id for one, _ in each],
            "attempt": [1] * len(each),
            "epoch": [epoch for _, epoch in each],
            "metric.acc": [one.spec.seed + epoch / 4 for one, epoch in each],
        }
    )


def seen(results: Path) -> set[int]:
    """Return the seeds of the read view, after asserting that every trial has exactly its epoch rows, once."""
    ledger = Ledger(results)
    assert ledger.doctor.problems() == []
    view = ledger.trials()
    assert not view["trial_id"].duplicated().any()
    assert (view["metric.acc"] == view["seed"] / 7).all()
    rows = ledger.epochs()
    wanted = {
        (outcome(seed).spec.trial_id, epoch, seed + epoch / 4) for seed in view["seed"] for epoch in range(N_EPOCHS)
    }
    found = list(zip(rows["trial_id"], rows["epoch"], rows["metric.acc"], strict=True)) if len(rows) else []
    assert len(found) == len(wanted)
    assert set(found) == wanted
    return set(view["seed"])


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and return its wait status; a child that falls off the end exits with 0."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(3)
    return os.waitpid(pid, 0)[1]


def killed_at_each_step(
    template: Path, stride: int, work: Callable[[Ledger], None], check: Callable[[Path, bool], None]
) -> int:
    """Run `work` on copies of a folder, killed `stride` steps later each time, until it ends; return its last step."""
    for steps in range(0, 200, stride):
        results = template.with_name(f"killed-{steps}")
        shutil.copytree(template, results)

        def child(steps: int = steps, results: Path = results) -> None:
            with Ledger(results, writable=True) as ledger:
                Countdown(steps, results)
                work(ledger)

        status = in_child(child)
        survived = os.WIFEXITED(status)
        assert not survived or os.WEXITSTATUS(status) == 0
        check(results, survived)
        with Ledger(results, writable=True):  # a driver that opens the folder clears up
            assert not list(results.rglob("*.tmp"))
        shutil.rmtree(results)
        if survived:
            return steps
    raise AssertionError("never survived")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A ledger with seeds 0, 1, 2 in three batches."""
    with Ledger(tmp_path / "template", writable=True) as ledger:
        for seed in range(3):
            ledger.append([outcome(seed)], epochs(seed))
    return tmp_path / "template"


@STRIDES
def test_an_append_that_is_killed_before_any_step_is_there_in_full_or_not_at_all(template: Path, stride: int) -> None:
    ends: list[bool] = []

    def check(results: Path, survived: bool) -> None:
        found = seen(results)
        assert found in ({0, 1, 2}, {0, 1, 2, 3, 4})
        ends.append(len(found) == 5)
        with Ledger(results, writable=True) as ledger:  # the same command again goes on
            ledger.append([outcome(3), outcome(4)], epochs(3, 4))
        assert seen(results) == {0, 1, 2, 3, 4}

    steps = killed_at_each_step(
        template, stride, lambda ledger: ledger.append([outcome(3), outcome(4)], epochs(3, 4)), check
    )
    assert steps >= 8
    assert ends == sorted(ends)
    assert ends[-1]
    assert not ends[0]


@STRIDES
def test_a_compaction_that_is_killed_before_any_step_changes_no_row(template: Path, stride: int) -> None:
    files_left: list[int] = []

    def check(results: Path, survived: bool) -> None:
        assert seen(results) == {0, 1, 2}
        assert len(Ledger(results).epochs(view=False)) == 3 * N_EPOCHS
        with Ledger(results, writable=True) as ledger:
            ledger.compact()
        assert seen(results) == {0, 1, 2}
        files_left.append(len([*results.rglob("*.parquet")]))

    assert killed_at_each_step(template, stride, lambda ledger: ledger.compact(), check) >= 12
    assert set(files_left) == {2}


def plan_of(look: int) -> pa.Table:
    return pa.table({"trial_id": ["a" * 20], "seed": [look]})


@STRIDES
def test_a_plan_and_its_study_change_together_wherever_the_writer_is_killed(template: Path, stride: int) -> None:
    with Ledger(template, writable=True) as ledger:
        ledger.studies.write("s", {"look": 0}, plan_of(0))

    def check(results: Path, survived: bool) -> None:
        study, plan = Ledger(results).studies.read("s")
        assert plan.equals(plan_of(study["look"]))
        assert study["look"] == 1 or not survived

    def work(ledger: Ledger) -> None:
        ledger.studies.write("s", {"look": 1}, plan_of(1))

    assert killed_at_each_step(template, stride, work, check) >= 4


def writer(results: Path, start: int, to_parent: int, monkey: random.Random) -> None:
    """Append batches of 1 to 4 trials for ever, compact now and then; say each seed after `append` returned."""
    compaction.TINY_BYTES = 2**14  # so that merging merged batches happens too
    with Ledger(results, writable=True) as ledger:
        while True:
            seeds = list(range(start, start + monkey.randint(1, 4)))
            start = seeds[-1] + 1
            ledger.append([outcome(seed) for seed in seeds], epochs(*seeds))
            os.write(to_parent, b"".join(b"%d\n" % seed for seed in seeds))
            if monkey.random() < 0.3:
                ledger.compact()


def kill_once(results: Path, start: int, monkey: random.Random) -> set[int]:
    """Start a writer, kill it at a random moment, and return the seeds that it said were written."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            writer(results, start, writing, monkey)
        finally:
            os._exit(3)
    os.close(writing)
    assert select.select([reading], [], [], 30)[0]
    time.sleep(monkey.random() ** 2 * 0.3)
    os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    said = b"".join(iter(lambda: os.read(reading, 65536), b""))
    os.close(reading)
    assert os.WIFSIGNALED(status)
    return {int(line) for line in said.split(b"\n")[:-1]}


def hold_through_kills(results: Path, kills: int, seed: int) -> None:
    monkey = random.Random(seed)
    said: set[int] = set()
    for number in range(kills):
        said |= kill_once(results, number * 10_000, monkey)
        found = seen(results)
        assert said <= found, f"lost {said - found} after kill {number} of seed {seed}"
        assert len(found - said) <= 4 * (number + 1)


@pytest.mark.slow
@pytest.mark.sample
def test_no_trial_is_lost_and_none_is_there_twice_when_the_writer_is_killed_at_random(tmp_path: Path) -> None:
    hold_through_kills(tmp_path / "results", kills=8, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.sample), *range(1, 5)])
def test_no_trial_is_lost_through_many_kills_of_the_writer(tmp_path: Path, seed: int) -> None:
    hold_through_kills(tmp_path / "results", kills=40, seed=seed)


def test_of_many_drivers_that_start_at_once_exactly_one_writes(tmp_path: Path) -> None:
    told, tell = os.pipe()
    wait, release = os.pipe()

    def driver() -> None:
        os.close(release)
        try:
            with Ledger(tmp_path / "results", writable=True) as ledger:
                ledger.append([outcome(os.getpid())])
                os.write(tell, b"w")
                os.read(wait, 1)  # ends when the parent closes its end
        except LedgerLockedError as error:
            os.write(tell, b"l" if "in use by" in str(error) else b"?")

    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                driver()
            finally:
                os._exit(0)
        children.append(pid)
    os.close(tell)
    os.close(wait)
    said = b"".join(os.read(told, 1) for _ in children)
    os.close(release)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(told)
    assert sorted(said) == sorted(b"wlll")
    assert len(Ledger(tmp_path / "results").trials()) == 1


def test_a_child_that_outlives_a_killed_driver_does_not_keep_the_folder(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    driver = os.fork()
    if driver == 0:
        Ledger(tmp_path, writable=True).__enter__()
        orphan = os.fork()
        if orphan == 0:
            time.sleep(60)
            os._exit(0)
        os.write(writing, b"%d" % orphan)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(driver, 0)
    orphan = int(os.read(reading, 20))
    try:
        os.kill(orphan, 0)
        with Ledger(tmp_path, writable=True) as ledger:
            assert ledger.append([outcome(0)]) == 1
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_reader_reads_on_while_a_driver_appends_and_compacts(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            writer(tmp_path / "results", 0, writing, random.Random(5))
        finally:
            os._exit(3)
    os.close(writing)
    try:
        said = b""
        ledger = Ledger(tmp_path / "results")
        for _ in range(12):
            assert select.select([reading], [], [], 30)[0]
            said += os.read(reading, 65536)
            known = {int(line) for line in said.split(b"\n")[:-1]}
            view, rows = ledger.trials(), Ledger(tmp_path / "results").epochs()
            assert known <= set(view["seed"])
            assert not view["trial_id"].duplicated().any()
            assert (rows.groupby("trial_id").size() == N_EPOCHS).all()
            assert {outcome(seed).spec.trial_id for seed in known} <= set(rows["trial_id"])
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
