"""Probes: short bundles through an executor, whose costs become a profile; no row of them reaches the ledger."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.bundles.size import known_profile
from orchestrator.executors.inline import InlineExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.price import probe
from orchestrator.price.probe import MOST_EPOCHS, SEEDS, ProbeSource, keep_profiles, programs_of
from orchestrator.trial import FailureKind, Report, SeedBlock, TrialOutcome, TrialSpec, TrialState

TOY = (str(Path(__file__).parents[1] / "toy"),)
CONFIG = {"level": 0.5, "mode": "plain", "trouble": "none"}


@pytest.fixture
def spec():
    digest = Catalogue(TOY).dataset("digits", "whole").digest
    return TrialSpec(method="toy", method_version=1, config=CONFIG, dataset="digits", dataset_digest=digest, n_epochs=3)


def programs(spec, count=1, device="cpu"):
    return programs_of([replace(spec, seed=seed) for seed in range(count)], Catalogue(TOY), device)


def test_trials_that_differ_in_seed_and_fusing_knobs_are_one_program(spec):
    other = replace(spec, config={**CONFIG, "level": 0.9}, seed=1)
    worse = replace(spec, config={**CONFIG, "mode": "worse"})
    found = programs_of([spec, other, worse], Catalogue(TOY), "cpu")
    assert [program.member_epochs for program in found] == [6, 3]
    assert found[0].members == 4


def test_a_gpu_is_probed_with_more_members_than_fusing_gains_on_a_cpu(spec):
    assert programs(spec, device="cuda")[0].members == 8


def tasks_of(found):
    """Probe some programs in this process; return the tasks that were handed out."""
    source, tasks = ProbeSource(found, plugins=TOY), []
    ask = source.next_task
    source.next_task = lambda: tasks.append(ask()) or tasks[-1]
    InlineExecutor().run(source)
    return tasks


def test_a_probe_of_several_takes_configurations_from_all_over_a_program(spec):
    levels = [round(0.02 * step, 2) for step in range(1, 41)]
    many = [replace(spec, config={**CONFIG, "level": level}, seed=seed) for level in levels for seed in range(3)]
    (found,) = programs_of(many, Catalogue(TOY), "cpu")
    assert [one.config["level"] for one in found.specs] == levels[::5]
    bundle = tasks_of([replace(found, members=10, member_epochs=10**6)])[-1].bundle
    assert [one.config["level"] for one in bundle.specs] == [*levels[::5], *levels[:6:5]]
    assert [one.seed - SEEDS for one in bundle.specs] == [0] * 8 + [1] * 2  # arms share seeds, as in a study


def test_only_what_is_much_larger_than_its_probe_is_worth_one_and_the_smaller_a_light_one(spec):
    found = {count: programs(spec, count)[0] for count in (50, 100, 300)}
    assert [program.worth_probing for program in found.values()] == [False, True, True]
    assert [program.light for program in found.values()] == [False, True, False]


def test_a_light_probe_trains_few_members_for_few_epochs(spec):
    source = ProbeSource(programs(spec, 100), plugins=TOY)
    tasks = []
    ask = source.next_task
    source.next_task = lambda: tasks.append(ask()) or tasks[-1]
    InlineExecutor().run(source)
    assert [(len(task.bundle), task.bundle.specs[0].n_epochs) for task in tasks] == [(1, 1), (1, 3), (4, 3)]


def test_a_probe_trains_alone_and_together_on_seeds_of_no_study_and_gives_a_profile(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "ENOUGH_SECONDS", 1e3)  # so that no busy machine makes the toy's epochs long enough
    source = ProbeSource(programs(spec), plugins=TOY)
    tasks = []
    ask = source.next_task
    source.next_task = lambda: tasks.append(ask()) or tasks[-1]
    InlineExecutor().run(source)
    sizes = [(len(task.bundle), task.bundle.specs[0].n_epochs) for task in tasks]
    assert sizes == [(1, 1), (1, MOST_EPOCHS), (4, MOST_EPOCHS)]
    assert all(s.seed >= SEEDS and s.seed_block is SeedBlock.SEARCH for task in tasks for s in task.bundle.specs)
    with Ledger(tmp_path, writable=True) as ledger:
        (profile,) = keep_profiles(ledger, source).values()
        assert known_profile(ledger, programs(spec)[0].key) == profile
        assert ledger.trials().empty
    assert profile.members == 4
    assert 0 < profile.epoch_seconds[1] < profile.epoch_seconds[0] < 0.5
    assert 0 < profile.peak_bytes[0] <= profile.peak_bytes[1]
    assert profile.capacity_bytes > 2**28


def test_a_program_that_fails_has_no_profile_and_the_others_are_measured(spec, tmp_path):
    broken = replace(spec, config={**CONFIG, "trouble": "bug", "mode": "worse"})
    source = ProbeSource(programs_of([broken, spec], Catalogue(TOY), "cpu"), plugins=TOY)
    InlineExecutor().run(source)
    with Ledger(tmp_path, writable=True) as ledger:
        assert list(keep_profiles(ledger, source)) == [programs(spec)[0].key]


def test_each_program_is_tried_once_and_then_the_longest_goes_first(spec):
    worse = replace(spec, config={**CONFIG, "mode": "worse"})
    source = ProbeSource(programs_of([spec, worse], Catalogue(TOY), "cpu"), plugins=TOY)
    first, second = (source.next_task().bundle for _ in range(2))
    assert [bundle.specs[0].config["mode"] for bundle in (first, second)] == ["plain", "worse"]
    for bundle, seconds in ((first, 0.01), (second, 0.4)):
        cost = {"seconds": seconds, "peak_memory_bytes": 1.0}
        outcome = TrialOutcome(spec=bundle.specs[0], attempt=1, state=TrialState.COMPLETE, cost=cost)
        source.report(bundle, Report(outcomes=(outcome,), finished=True))
    assert source.next_task().bundle.specs[0].config["mode"] == "worse"


def test_a_lost_worker_ends_the_probe_of_its_program(spec):
    source = ProbeSource(programs(spec), plugins=TOY)
    source.lost(source.next_task().bundle, FailureKind.OUT_OF_MEMORY, "killed")
    assert source.finished
    assert source.done[0].out_of_memory == 1


def test_memory_that_runs_out_at_the_second_size_is_part_of_the_profile(spec, tmp_path):
    source = ProbeSource(programs(spec), plugins=TOY)
    report = source.report

    def short_of_memory(bundle, said):
        if len(bundle) == 4:
            said = replace(said, out_of_memory=4) if isinstance(said, Report) and said.rows else said
        report(bundle, said)

    source.report = short_of_memory
    InlineExecutor().run(source)
    with Ledger(tmp_path, writable=True) as ledger:
        (profile,) = keep_profiles(ledger, source).values()
    assert (profile.members, profile.out_of_memory) == (1, 4)
