"""The source that a bridge serves: what it raises is kept for the end of the run."""

from recorded_workers import FINISHED, begun

from orchestrator.errors import CodeMismatchError
from orchestrator.executors.ray_tune.parcel import Message
from orchestrator.executors.ray_tune.served import Served


def test_what_the_source_raises_ends_the_run_and_no_bundle_stays_open(bridge_for, bundles):
    bridge, source = bridge_for(bundles(3))
    (first, _), (second, other) = begun(bridge), begun(bridge)

    def full(bundle, report):
        raise OSError("disk full")

    source.report = full
    bridge.take(first, FINISHED)
    bridge.tick()
    assert str(bridge.served.failure) == "disk full"
    assert other.told == [((), True)]
    bridge.take(second, Message(ended=True).packed())
    assert bridge.idle


def test_a_code_mismatch_ends_the_run(bridge_for, bundles):
    bridge, source = bridge_for(bundles(1))
    number, _ = begun(bridge)
    bridge.take(number, Message(ended=True, mismatch="other code").packed())
    assert isinstance(bridge.served.failure, CodeMismatchError)
    assert bridge.idle
    assert source.how("interrupted")


def test_tasks_are_fetched_in_order_until_enough_or_none_and_given_back_when_the_run_stops(source_of, bundles):
    first, second, third = bundles(3)
    source, served = source_of([first, second, third]), Served()
    assert served.finished and not served.stopping
    served.attach(source)
    served.fetch(2)
    served.fetch(2)
    assert [task.bundle for task in served.tasks] == [first, second]
    served.fetch(9)
    assert [task.bundle for task in served.tasks] == [first, second, third]
    assert not served.finished
    served.interrupt_tasks()
    assert source.how("interrupted") == [first, second, third]
    assert not served.tasks


def test_the_first_failure_is_kept_and_nothing_is_fetched_after_it(source_of, bundles):
    served = Served()
    served.attach(source_of(bundles(2)))
    for text in ("first", "second"):
        with served.keeping_failure():
            raise OSError(text)
    served.fetch(1)
    assert (str(served.failure), served.stopping, served.finished, len(served.tasks)) == ("first", True, True, 0)
    served.attach(source_of(bundles(1)))
    assert served.failure is None and not served.stopping
    served.detach()
    assert served.finished
