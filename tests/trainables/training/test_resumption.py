"""A bundle goes on from its checkpoint, unless files that are to be kept went down with the process."""

from orchestrator import discovery
from orchestrator.knobs import canonical, identity, knobs_of
from orchestrator.trial import Bundle, BundleTask, TrialOutcome, TrialSpec, TrialState
from trainables.training.bundle_training import BundleTraining
from trainables.training.loop import train
from trainables.training.resumption import save

DATA = discovery.load_dataset("digits:subset=120", "whole")


def task(folder, kept):
    method = discovery.method("entropy")
    config = identity(knobs_of(method.Config), canonical(knobs_of(method.Config), {}, "entropy"))
    fields = {"method": "entropy", "method_version": method.version, "config": config, "dataset": "digits:subset=120"}
    specs = tuple(TrialSpec(**fields, dataset_digest=DATA.digest, seed=seed, n_epochs=3) for seed in (0, 1))
    return BundleTask(bundle=Bundle(specs), checkpoint_folder=str(folder), kept_members=kept)


def left(folder):
    """Leave a checkpoint after an epoch in which the first member ended, complete, and nobody heard of it."""
    asked = task(folder, ())
    run = BundleTraining(discovery.method("entropy"), asked, DATA)
    run.advance()
    run.outcomes[0] = TrialOutcome(spec=asked.bundle.specs[0], attempt=1, state=TrialState.COMPLETE)
    run.built.keep([1])
    run.groups[0] = [1]
    save(run)


def said(asked):
    return list(train(discovery.method("entropy"), asked, DATA))


def test_a_complete_member_without_its_files_is_trained_again(tmp_path):
    left(tmp_path / "ab")
    found = said(task(tmp_path / "ab", (0, 1)))
    assert "no files of trial" in found[0].note
    assert {trial_id for report in found for trial_id in report.kept} == set(task(tmp_path, ()).bundle.trial_ids)


def test_where_nothing_is_kept_it_goes_on(tmp_path):
    left(tmp_path / "ab")
    found = said(task(tmp_path / "ab", ()))
    assert found[0].restarted and not found[0].note
    assert len(found) == 3  # what stood, and two epochs
