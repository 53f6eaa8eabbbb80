"""One bundle under way: when its worker is called or killed, and its checkpoint that travels."""

from dataclasses import replace

from recorded_workers import FINISHED, GOES_ON, Worker, begun

from orchestrator.executors.ray_tune.parcel import Message
from orchestrator.executors.ray_tune.under_way import CALL_SECONDS
from orchestrator.trial import FailureKind, Report


def test_silence_beyond_the_limit_is_a_timeout_and_news_begin_it_anew(bridge_for, bundles, clock):
    bridge, source = bridge_for(bundles(2), stall_seconds=10.0)
    (silent, silent_worker), (talking, talking_worker) = begun(bridge), begun(bridge)
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


def test_a_silent_worker_is_called_now_and_then_and_one_that_reports_is_not(bridge_for, bundles, clock):
    bridge, _ = bridge_for(bundles(2))
    (silent, quiet), (busy, told) = begun(bridge), begun(bridge)
    for _ in range(4):
        clock.now += CALL_SECONDS / 2 + 0.1
        assert not bridge.take(busy, GOES_ON)
        bridge.tick()
    assert quiet.told == [((), False)] * 2
    assert told.told == []
    assert silent != busy


def with_folder(source, folder):
    """Have a source hand out bundles whose checkpoints lie in a folder."""
    handed = source.next_task
    source.next_task = lambda: (task := handed()) and replace(task, checkpoint_folder=str(folder))


def test_checkpoints_that_come_with_messages_are_kept_until_the_bundle_is_done(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    with_folder(source, tmp_path / "bundle")
    number, _ = begun(bridge)
    for content in (b"first", b"second"):
        assert not bridge.take(number, Message((Report(),), files=(("state", content),)).packed())
        assert {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()} == {"state": content}
    bridge.take(number, FINISHED)
    assert not (tmp_path / "bundle").exists()


def test_nothing_of_a_worker_whose_bundle_was_handed_out_again_is_kept(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    with_folder(source, tmp_path / "bundle")
    number, _ = begun(bridge)
    bridge.died(number, FailureKind.INFRASTRUCTURE, "cut off")
    bridge.take(number, Message((Report(),), files=(("state", b"late"),)).packed())
    assert not (tmp_path / "bundle").exists()
    assert not source.reports


def test_what_the_driver_does_not_have_by_messages_it_does_not_delete(bridge_for, bundles, tmp_path):
    bridge, source = bridge_for(bundles(1))
    with_folder(source, tmp_path / "bundle")
    (tmp_path / "bundle").mkdir()
    number, _ = begun(bridge)
    bridge.take(number, FINISHED)
    assert (tmp_path / "bundle").exists()
