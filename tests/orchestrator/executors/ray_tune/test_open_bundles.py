"""The bundles that are not closed: who is told to stop, whose place is needed, who is had by another worker."""

import pytest
from recorded_workers import FINISHED, Worker, begun, packed

from orchestrator.executors.ray_tune.bridge import STOP_GRACE_SECONDS, Bridge
from orchestrator.executors.ray_tune.open_bundles import MOST_SPARED, START_PATIENCE_SECONDS, OpenBundles
from orchestrator.executors.ray_tune.parcel import Message
from orchestrator.executors.ray_tune.under_way import RECALL_SECONDS
from orchestrator.trial import BundleTask


def test_a_stop_reaches_every_worker_once_and_what_has_not_begun_is_interrupted(bridge_for, bundles):
    bridge, source = bridge_for(bundles(4))
    number, worker = begun(bridge)
    waiting = bridge.next_parcel()  # on its way to a worker that is still starting
    source.stopping = True
    bridge.tick()
    bridge.tick()
    assert worker.told == [((), True)]
    assert [bundle.specs[0].seed for bundle in source.how("interrupted")] == [1]
    assert not bridge.idle
    assert not bridge.take(number, Message(ended=True).packed())
    assert bridge.idle
    late = Worker()
    bridge.started(waiting.number, late)
    assert late.told == [((), True)]


def test_after_the_grace_of_a_stop_workers_are_killed(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(1))
    _, worker = begun(bridge)
    source.stopping = True
    bridge.tick()
    clock.now += STOP_GRACE_SECONDS - 1
    bridge.tick()
    assert not worker.killed
    clock.now += 2
    bridge.tick()
    assert worker.killed
    assert source.how("interrupted")
    assert bridge.idle


def test_an_idle_worker_makes_room_for_a_bundle_that_waits_too_long_one_at_a_time(source_of, bundles, clock):
    bridge = Bridge(lambda: 3, packed)
    bridge.attach(source_of(bundles(3)))
    (first, _), (second, _) = begun(bridge), begun(bridge)
    assert bridge.next_parcel() is not None
    assert not any([bridge.take(first, FINISHED), bridge.take(second, FINISHED)])
    clock.now += START_PATIENCE_SECONDS - 1
    assert not bridge.take(first, Message().packed())
    clock.now += 2
    assert bridge.take(first, Message().packed())
    assert not bridge.take(second, Message().packed())


def test_each_bundle_is_taken_out_once_by_what_becomes_of_it(bundles, clock):
    tasks = [BundleTask(bundle=one) for one in bundles(3)]
    waiting = OpenBundles()
    for number, task in enumerate(tasks):
        waiting.open(number, task)
    waiting.get(1).worker = Worker()
    assert (len(waiting), [*waiting], waiting.first()) == (3, [0, 1, 2], tasks[0].bundle)
    assert waiting.close(0).task == tasks[0]
    assert waiting.close(0) is None
    assert waiting.recall() == []
    assert waiting.tell_stop() == [tasks[2]]
    assert waiting.get(1).worker.told == [((), True)]
    assert waiting.kill() == [tasks[1]]
    assert waiting.kill() == [] and waiting.first() is None
    assert waiting.waits_since() == float("inf")


def test_why_bundles_wait_for_a_first_worker_is_told_once(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(2))
    assert bridge.waits_since() == float("inf")
    parcel = bridge.next_parcel()
    assert bridge.waits_since() == pytest.approx(clock.now, abs=5)
    for _ in range(2):
        bridge.note("no room")
    bridge.note("")
    assert [report.note for _, report in source.reports] == ["no room"]
    bridge.started(parcel.number, Worker())
    assert bridge.waits_since() == float("inf")


def test_a_bundle_whose_worker_does_not_start_is_had_by_one_that_is_free(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(2))
    (first, _), late = begun(bridge), bridge.next_parcel()
    assert not bridge.take(first, FINISHED)
    clock.now += RECALL_SECONDS + 1
    bridge.tick()
    assert bridge.take(first, b"")
    taken = bridge.next_parcel()
    assert taken.content.task.bundle == late.content.task.bundle
    worker = Worker()
    bridge.started(taken.number, Worker())
    bridge.started(late.number, worker)
    assert worker.told == [((), True)]
    assert not bridge.take(late.number, Message(ended=True).packed())  # it is idle now
    bridge.take(taken.number, FINISHED)
    assert len(source.how("finished")) == 2 and bridge.idle


def test_a_bundle_is_spared_by_few_deaths_of_idle_workers_and_by_none_of_another(bundles):
    waiting = OpenBundles()
    (bundle,) = bundles(1)
    for number, for_idle in enumerate([False, *[True] * (MOST_SPARED + 1)]):
        waiting.open(number, BundleTask(bundle=bundle), for_idle=for_idle)
    entries = [waiting.close(number) for number in range(MOST_SPARED + 2)]
    assert [waiting.is_spared(entry) for entry in entries] == [False, *[True] * MOST_SPARED, False]
