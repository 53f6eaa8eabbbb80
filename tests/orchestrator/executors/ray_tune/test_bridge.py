"""The bookkeeping between a source and Ray Tune, with workers that only write down what they are told."""

from recorded_workers import FINISHED, GOES_ON, Worker, begun

from orchestrator.executors.ray_tune.parcel import Message
from orchestrator.trial import FailureKind, Report


def test_a_worker_that_finished_is_let_go_for_the_next_bundle_and_stays_idle_without_one(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3), bundles(2, scale=2.0))
    (first, _), (second, _) = begun(bridge), begun(bridge)
    assert bridge.take(first, FINISHED)
    third, _ = begun(bridge)
    assert not bridge.take(second, FINISHED)  # the next round waits for the third
    assert bridge.next_parcel() is None
    assert not bridge.take(second, b"")
    assert bridge.take(third, FINISHED)
    assert bridge.take(second, b"")
    (fourth, _), (fifth, _) = begun(bridge), begun(bridge)
    assert not bridge.take(fourth, FINISHED)
    assert not bridge.idle
    assert not bridge.take(fifth, FINISHED)
    assert bridge.idle
    assert len(source.how("finished")) == 5


def test_a_worker_that_was_starting_when_the_run_stopped_has_its_place_in_the_next_run(bridge_for, bundles, source_of):
    bridge, source = bridge_for(bundles(2))
    first, _ = begun(bridge)
    late, worker = bridge.next_parcel(), Worker()
    source.stopping = True
    bridge.tick()
    assert not bridge.take(first, Message(ended=True).packed())
    bridge.detach()
    bridge.attach(source_of(bundles(2)))
    assert bridge.next_parcel() is None  # a third worker would wait for room for ever, and its bundle with it
    bridge.started(late.number, worker)
    assert worker.told == [((), True)]
    assert bridge.take(first, b"")
    assert bridge.next_parcel().content[0] is not None


def test_a_worker_that_is_free_takes_the_next_bundle_while_others_start(bridge_for, bundles):
    bridge, _ = bridge_for(bundles(4))
    first, _ = begun(bridge)
    late = bridge.next_parcel()
    assert bridge.take(first, FINISHED)
    third, _ = begun(bridge)
    bridge.started(late.number, Worker())
    assert bridge.take(third, FINISHED)


def test_a_dead_worker_is_told_once_and_only_while_its_bundle_is_open(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    (first, _), (second, _) = begun(bridge), begun(bridge)
    bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
    bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
    bridge.take(second, FINISHED)
    bridge.died(second, FailureKind.INFRASTRUCTURE, "gone")
    assert [event for _, event in source.events] == [("lost", FailureKind.INFRASTRUCTURE, "gone"), "finished"]


def test_a_bundle_for_an_idle_worker_that_was_dead_already_goes_to_another_and_is_not_lost(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1), bundles(2, scale=2.0))
    first, _ = begun(bridge)
    assert bridge.take(first, FINISHED)
    second = bridge.next_parcel()
    bridge.died(second.number, FailureKind.INFRASTRUCTURE, "the actor died")
    again = bridge.next_parcel()
    assert again.content.task.bundle == second.content.task.bundle
    assert [event for _, event in source.events] == ["finished"]
    bridge.died(again.number, FailureKind.INFRASTRUCTURE, "no idle worker was let go for this one")
    assert source.events[-1][1][0] == "lost"


def test_what_a_dead_workers_bundle_says_late_is_not_passed_on(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = begun(bridge)
    bridge.died(number, FailureKind.INFRASTRUCTURE, "gone")
    bridge.take(number, FINISHED)
    assert len(source.events) == 1
    assert not source.reports


def test_decisions_go_to_the_worker_of_the_bundle(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1, size=3, prunable=True))
    source.decisions = {2: (0, 2)}
    number, worker = begun(bridge)
    bridge.take(number, GOES_ON)
    assert worker.told == []
    bridge.take(number, GOES_ON)
    assert worker.told == [((0, 2), False)]


def test_a_death_during_a_stop_is_no_loss(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = begun(bridge)
    source.stopping = True
    bridge.tick()
    bridge.died(number, FailureKind.INFRASTRUCTURE, "gone")
    assert [event for _, event in source.events] == ["interrupted"]


def test_training_that_ends_without_outcomes_is_a_bug_not_a_success(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = begun(bridge)
    bridge.take(number, Message((Report(),), ended=True).packed())
    assert [event[:2] for _, event in source.events] == [("lost", FailureKind.BUG)]


def test_tunes_collapse_ends_the_run_and_is_no_loss_of_the_bundles_under_way(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    begun(bridge), begun(bridge)
    bridge.collapsed(RuntimeError("tune broke"))
    assert [event for _, event in source.events] == ["interrupted"] * 2
    assert isinstance(bridge.served.failure, RuntimeError)
    assert bridge.idle


def test_a_worker_that_dies_with_ray_itself_is_no_loss_of_its_bundle(bridge_for, bundles):
    down = []
    bridge, source = bridge_for(bundles(3), is_down=lambda: bool(down))
    (first, _), (second, _) = begun(bridge), begun(bridge)
    bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
    down.append("raylet")
    bridge.died(second, FailureKind.INFRASTRUCTURE, "gone")
    assert [event for _, event in source.events] == [("lost", FailureKind.INFRASTRUCTURE, "gone"), "interrupted"]


def test_a_collapse_during_a_stop_is_part_of_the_stop(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    begun(bridge)
    source.stopping = True
    bridge.collapsed(RuntimeError("the signal ended Ray too"))
    assert bridge.served.failure is None
    assert [event for _, event in source.events] == ["interrupted"]
    assert bridge.idle


def test_a_broken_off_run_is_forgotten_but_its_workers_are_not(bridge_for, bundles, source_of):
    bridge, _ = bridge_for(bundles(2))
    (first, worker), _ = begun(bridge), begun(bridge)
    bridge.detach()
    assert worker.told == [((), True)]
    bridge.attach(source_of(bundles(1, scale=2.0)))
    assert bridge.take(first, Message((Report(),), ended=True).packed())
    assert bridge.next_parcel() is not None


def test_when_every_worker_is_gone_through_no_fault_of_theirs_the_run_goes_on_with_others(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3))
    (first, _), _ = begun(bridge), begun(bridge)
    bridge.scattered("expelled")
    assert [(event[1], event[2]) for _, event in source.events] == [(FailureKind.PREEMPTION, "expelled")] * 2
    assert bridge.served.failure is None and not bridge.shares
    assert bridge.next_parcel() is not None
    bridge.take(first, FINISHED)  # late news of a worker that is gone
    assert len(source.events) == 2
