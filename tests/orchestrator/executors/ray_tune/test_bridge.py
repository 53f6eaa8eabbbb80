"""The bookkeeping between a source and Ray Tune, with workers that only write down what they are told."""

import copy
import pickle
from dataclasses import replace

import pytest

from orchestrator.errors import CodeMismatchError
from orchestrator.executors.ray_tune import bridge as module
from orchestrator.executors.ray_tune import under_way
from orchestrator.executors.ray_tune.bridge import Bridge
from orchestrator.executors.ray_tune.parcel import Content, Message, Parcel
from orchestrator.executors.ray_tune.workers import RETURN_SECONDS
from orchestrator.trial import BundleTask, FailureKind, Report


class Worker:
    def __init__(self):
        self.told, self.killed = [], False

    def tell(self, drop, stop):
        self.told.append((tuple(drop), stop))

    def kill(self):
        self.killed = True


def _packed(number, task):
    return Parcel(number, Content(task))


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = module.time.monotonic()  # not a fixed number: what the bridge read before it was replaced counts too

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def bridge_for(source_of):
    """A function: rounds of bundles -> (bridge with room for two, source)."""

    def made(*rounds, **options):
        bridge, source = Bridge(lambda: 2, _packed, **options), source_of(*rounds)
        bridge.attach(source)
        return bridge, source

    return made


def _start(bridge):
    parcel, worker = bridge.next_parcel(), Worker()
    bridge.started(parcel.number, worker)
    return parcel.number, worker


FINISHED = Message((Report(finished=True),), ended=True).packed()
GOES_ON = Message((Report(),)).packed()


def test_no_more_bundles_start_than_there_is_room(bridge_for, bundles):
    bridge, _ = bridge_for(bundles(5))
    assert [bridge.next_parcel() is None for _ in range(4)] == [False, False, True, True]


def test_a_worker_that_finished_is_let_go_for_the_next_bundle_and_stays_idle_without_one(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3), bundles(2, scale=2.0))
    (first, _), (second, _) = _start(bridge), _start(bridge)
    assert bridge.take(first, FINISHED)
    third, _ = _start(bridge)
    assert not bridge.take(second, FINISHED)  # the next round waits for the third
    assert bridge.next_parcel() is None
    assert not bridge.take(second, b"")
    assert bridge.take(third, FINISHED)
    assert bridge.take(second, b"")
    (fourth, _), (fifth, _) = _start(bridge), _start(bridge)
    assert not bridge.take(fourth, FINISHED)
    assert not bridge.idle
    assert not bridge.take(fifth, FINISHED)
    assert bridge.idle
    assert len(source.how("finished")) == 5


def test_a_task_for_an_idle_worker_does_not_start_another_one(bridge_for, bundles, source_of):
    bridge, _ = bridge_for(bundles(1))
    number, _ = _start(bridge)
    assert not bridge.take(number, FINISHED)
    bridge.attach(source_of(bundles(1)))
    assert bridge.next_parcel() is None
    assert bridge.take(number, b"")
    assert bridge.next_parcel() is not None
    assert bridge.next_parcel() is None


def test_a_worker_that_was_starting_when_the_run_stopped_has_its_place_in_the_next_run(bridge_for, bundles, source_of):
    bridge, source = bridge_for(bundles(2))
    first, _ = _start(bridge)
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
    first, _ = _start(bridge)
    late = bridge.next_parcel()
    assert bridge.take(first, FINISHED)
    third, _ = _start(bridge)
    bridge.started(late.number, Worker())
    assert bridge.take(third, FINISHED)


def test_a_worker_that_is_idle_for_long_is_returned_where_others_use_the_cluster(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2), bundles(2, scale=2.0), keep_seconds=RETURN_SECONDS)
    (long, _), (short, _) = _start(bridge), _start(bridge)
    assert not bridge.take(short, FINISHED)  # the next round waits for the long one
    clock.now += RETURN_SECONDS - 1
    assert not bridge.take(short, b"")
    clock.now += 2
    assert bridge.take(short, b"")
    assert bridge.next_parcel() is None  # and none is started in its place
    assert bridge.take(long, FINISHED)
    _start(bridge)
    assert bridge.next_parcel() is not None  # before there is work again


def test_an_idle_worker_of_a_ray_of_our_own_stays(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2), bundles(2, scale=2.0))
    _start(bridge)
    short, _ = _start(bridge)
    assert not bridge.take(short, FINISHED)
    clock.now += 1e6
    assert not bridge.take(short, b"")


def test_workers_started_in_advance_count_as_idle(bridge_for, source_of, bundles):
    bridge = Bridge(lambda: 2, _packed, warm=lambda number: Parcel(number) if number <= 3 else None)
    numbers = [bridge.next_parcel().number for _ in range(2)]
    assert bridge.next_parcel() is None
    assert not bridge.take(numbers[0], b"")
    bridge.attach(source_of(bundles(2)))
    assert bridge.next_parcel() is None
    bridge.started(numbers[1], Worker())
    assert bridge.take(numbers[0], b"")
    assert bridge.next_parcel().content[0] is not None


def test_a_dead_worker_is_told_once_and_only_while_its_bundle_is_open(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    (first, _), (second, _) = _start(bridge), _start(bridge)
    bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
    bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
    bridge.take(second, FINISHED)
    bridge.died(second, FailureKind.INFRASTRUCTURE, "gone")
    assert [event for _, event in source.events] == [("lost", FailureKind.INFRASTRUCTURE, "gone"), "finished"]


def test_what_a_dead_workers_bundle_says_late_is_not_passed_on(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = _start(bridge)
    bridge.died(number, FailureKind.INFRASTRUCTURE, "gone")
    bridge.take(number, FINISHED)
    assert len(source.events) == 1
    assert not source.reports


def test_decisions_go_to_the_worker_of_the_bundle(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1, size=3, prunable=True))
    source.decisions = {2: (0, 2)}
    number, worker = _start(bridge)
    bridge.take(number, GOES_ON)
    assert worker.told == []
    bridge.take(number, GOES_ON)
    assert worker.told == [((0, 2), False)]


def test_a_stop_reaches_every_worker_once_and_what_has_not_begun_is_interrupted(bridge_for, bundles):
    bridge, source = bridge_for(bundles(4))
    number, worker = _start(bridge)
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
    _, worker = _start(bridge)
    source.stopping = True
    bridge.tick()
    clock.now += module.STOP_GRACE_SECONDS - 1
    bridge.tick()
    assert not worker.killed
    clock.now += 2
    bridge.tick()
    assert worker.killed
    assert source.how("interrupted")
    assert bridge.idle


def test_a_death_during_a_stop_is_no_loss(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = _start(bridge)
    source.stopping = True
    bridge.tick()
    bridge.died(number, FailureKind.INFRASTRUCTURE, "gone")
    assert [event for _, event in source.events] == ["interrupted"]


def test_silence_beyond_the_limit_is_a_timeout_and_news_begin_it_anew(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(2), stall_seconds=10.0)
    (silent, silent_worker), (talking, talking_worker) = _start(bridge), _start(bridge)
    clock.now += 9.0
    bridge.take(talking, GOES_ON)
    clock.now += 2.0
    bridge.tick()
    assert (silent_worker.killed, talking_worker.killed) == (True, False)
    bridge.died(silent, FailureKind.INFRASTRUCTURE, "killed")
    assert [event[1] for _, event in source.events] == [FailureKind.TIMEOUT]


def test_a_worker_that_is_still_starting_is_not_silent(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(1), stall_seconds=10.0)
    parcel = bridge.next_parcel()
    clock.now += 60.0
    bridge.tick()
    worker = Worker()
    bridge.started(parcel.number, worker)
    bridge.tick()
    assert not worker.killed
    assert not source.events


def test_training_that_ends_without_outcomes_is_a_bug_not_a_success(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = _start(bridge)
    bridge.take(number, Message((Report(),), ended=True).packed())
    assert [event[:2] for _, event in source.events] == [("lost", FailureKind.BUG)]


def test_what_the_source_raises_ends_the_run_and_no_bundle_stays_open(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3))
    (first, _), (second, other) = _start(bridge), _start(bridge)

    def full(bundle, report):
        raise OSError("disk full")

    source.report = full
    bridge.take(first, FINISHED)
    bridge.tick()
    assert str(bridge.failure) == "disk full"
    assert other.told == [((), True)]
    bridge.take(second, Message(ended=True).packed())
    assert bridge.idle


def test_a_code_mismatch_ends_the_run(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = _start(bridge)
    bridge.take(number, Message(ended=True, mismatch="other code").packed())
    assert isinstance(bridge.failure, CodeMismatchError)
    assert bridge.idle
    assert source.how("interrupted")


def test_tunes_collapse_loses_every_bundle_under_way(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    _start(bridge), _start(bridge)
    bridge.collapsed(RuntimeError("tune broke"))
    assert [event[:2] for _, event in source.events] == [("lost", FailureKind.INFRASTRUCTURE)] * 2
    assert "tune broke" in source.events[0][1][2]
    assert isinstance(bridge.failure, RuntimeError)


def test_a_collapse_during_a_stop_is_part_of_the_stop(bridge_for, bundles):
    bridge, source = bridge_for(bundles(2))
    _start(bridge)
    source.stopping = True
    bridge.collapsed(RuntimeError("the signal ended Ray too"))
    assert bridge.failure is None
    assert [event for _, event in source.events] == ["interrupted"]
    assert bridge.idle


def test_a_broken_off_run_is_forgotten_but_its_workers_are_not(bridge_for, bundles, source_of):
    bridge, _ = bridge_for(bundles(2))
    (first, worker), _ = _start(bridge), _start(bridge)
    bridge.detach()
    assert worker.told == [((), True)]
    bridge.attach(source_of(bundles(1, scale=2.0)))
    assert bridge.take(first, Message((Report(),), ended=True).packed())
    assert bridge.next_parcel() is not None


def test_a_parcel_is_copied_by_reference_and_empty_once_unpacked(bundles):
    task = BundleTask(bundle=bundles(1)[0], device="cuda")
    parcel = Parcel(7, Content(task, "data"))
    assert parcel.device == "cuda"
    assert copy.deepcopy({"parcel": parcel})["parcel"] is parcel
    assert parcel.unpack() == Content(task, "data")
    assert parcel.unpack() == Content()
    assert len(pickle.dumps(parcel)) < 200


def test_an_idle_worker_makes_room_when_a_dead_node_was_counted_too_long(source_of, bundles):
    room = [3]
    bridge, source = Bridge(lambda: room[0], _packed), source_of(bundles(3, n_epochs=1))
    bridge.attach(source)
    first, _ = _start(bridge)
    second, _ = _start(bridge)
    waiting = bridge.next_parcel()  # the third one's place is on a node that is gone
    assert not any([bridge.take(first, FINISHED), bridge.take(second, FINISHED)])
    room[0] = 2
    assert bridge.take(first, Message().packed())
    assert not bridge.take(second, Message().packed())  # one is enough
    bridge.started(waiting.number, Worker())
    bridge.take(waiting.number, FINISHED)
    assert len(source.how("finished")) == 3


def test_an_idle_worker_makes_room_for_a_bundle_that_waits_too_long_one_at_a_time(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2))
    first, _ = _start(bridge)
    bridge._open[bridge.next_parcel().number].heard = clock.now
    assert not bridge.take(first, FINISHED)
    clock.now += module.START_PATIENCE_SECONDS - 1
    assert not bridge.take(first, Message().packed())
    clock.now += 2
    assert bridge.take(first, Message().packed())
    assert not bridge._in_the_way()


def _finished_on(node):
    return Message((Report(finished=True),), ended=True, node=node).packed()


def test_an_idle_worker_leaves_a_bundle_to_one_whose_node_has_the_dataset(bridge_for, bundles, source_of, clock):
    other = tuple(replace(one, specs=tuple(replace(spec, dataset="other") for spec in one.specs)) for one in bundles(1))
    bridge, _ = bridge_for([bundles(1)[0], *other])
    (first, _), (second, _) = _start(bridge), _start(bridge)
    bridge.take(first, _finished_on("a"))
    bridge.take(second, _finished_on("b"))
    again = tuple(replace(one, specs=tuple(replace(spec, seed=9) for spec in one.specs)) for one in other)
    bridge.attach(source_of(again))
    assert not bridge.take(first, b"")  # the other one's node has it
    assert bridge.take(second, b"")
    assert bridge.next_parcel().content[0].bundle == again[0]


def test_a_bundle_waits_for_the_nearer_worker_a_moment_and_not_for_one_that_is_gone(
    bridge_for, bundles, source_of, clock
):
    for gone in (False, True):
        bridge, _ = bridge_for(bundles(2))
        (first, _), (second, _) = _start(bridge), _start(bridge)
        bridge.take(first, _finished_on("a"))
        assert not bridge.take(second, Message((Report(finished=True),), ended=True).packed())  # its node is unknown
        bridge.attach(source_of(bundles(1, scale=3.0)))
        assert not bridge.take(second, b"")
        if gone:
            bridge.died(first, FailureKind.INFRASTRUCTURE, "gone")
        else:
            clock.now += 2.1
        assert bridge.take(second, b"")


def test_a_silent_worker_is_called_now_and_then_and_one_that_reports_is_not(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2))
    (silent, quiet), (busy, told) = _start(bridge), _start(bridge)
    for _ in range(4):
        clock.now += under_way.CALL_SECONDS / 2 + 0.1
        assert not bridge.take(busy, GOES_ON)
        bridge.tick()
    assert quiet.told == [((), False)] * 2
    assert told.told == []
    assert silent != busy


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


def _with_folder(source, folder):
    """Have a source hand out bundles whose checkpoints lie in a folder."""
    handed = source.next_task
    source.next_task = lambda: (task := handed()) and replace(task, checkpoint_folder=str(folder))


def test_checkpoints_that_come_with_messages_are_kept_until_the_bundle_is_done(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    _with_folder(source, tmp_path / "bundle")
    number, _ = _start(bridge)
    for content in (b"first", b"second"):
        assert not bridge.take(number, Message((Report(),), files=(("state", content),)).packed())
        assert {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()} == {"state": content}
    bridge.take(number, FINISHED)
    assert not (tmp_path / "bundle").exists()


def test_nothing_of_a_worker_whose_bundle_was_handed_out_again_is_kept(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    _with_folder(source, tmp_path / "bundle")
    number, _ = _start(bridge)
    bridge.died(number, FailureKind.INFRASTRUCTURE, "cut off")
    bridge.take(number, Message((Report(),), files=(("state", b"late"),)).packed())
    assert not (tmp_path / "bundle").exists()
    assert not source.reports


def test_what_the_driver_does_not_have_by_messages_it_does_not_delete(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    _with_folder(source, tmp_path / "bundle")
    (tmp_path / "bundle").mkdir()
    number, _ = _start(bridge)
    bridge.take(number, FINISHED)
    assert (tmp_path / "bundle").exists()


def test_the_place_of_a_worker_that_is_cut_off_is_left_empty_for_a_while(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(5))
    (first, _), _ = _start(bridge), _start(bridge)
    bridge.died(first, FailureKind.INFRASTRUCTURE, "unavailable", cut_off=True)
    assert len(source.events) == 1
    assert bridge.next_parcel() is None
    clock.now += under_way.CUT_OFF_SECONDS + 0.1
    assert bridge.next_parcel() is not None


def test_however_many_are_cut_off_one_place_is_tried(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(5))
    for number, _ in [_start(bridge), _start(bridge)]:
        bridge.died(number, FailureKind.INFRASTRUCTURE, "unavailable", cut_off=True)
    assert bridge.next_parcel() is not None
    assert bridge.next_parcel() is None


def test_when_every_worker_is_gone_through_no_fault_of_theirs_the_run_goes_on_with_others(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3))
    (first, _), _ = _start(bridge), _start(bridge)
    bridge.scattered("expelled")
    assert [(event[1], event[2]) for _, event in source.events] == [(FailureKind.PREEMPTION, "expelled")] * 2
    assert bridge.failure is None and not bridge.shares
    assert bridge.next_parcel() is not None
    bridge.take(first, FINISHED)  # late news of a worker that is gone
    assert len(source.events) == 2


def test_a_bundle_whose_worker_does_not_start_is_had_by_one_that_is_free(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(2))
    (first, _), late = _start(bridge), bridge.next_parcel()
    assert not bridge.take(first, FINISHED)
    clock.now += under_way.RECALL_SECONDS + 1
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
