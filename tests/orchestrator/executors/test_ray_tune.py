"""What only the Ray Tune executor promises: workers that die, stay warm, run the driver's code and share its data."""

import os
import signal
import subprocess
import sys
import time
from collections import deque

import psutil
import pytest

from orchestrator.errors import RequestError
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.trial import FailureKind


def _pids(source):
    return {int(row["diagnostic.pid"]) for row in source.rows}


def _kill_once(source, when):
    """Have the worker of the first report for which `when` holds killed, as the kernel would."""
    import pyarrow as pa

    killed = []

    def kill(bundle, report):
        if not killed and when(bundle):
            pid = int(pa.ipc.open_stream(report.rows).read_all()["diagnostic.pid"][0].as_py())
            os.kill(pid, signal.SIGKILL)
            killed.append((bundle, pid))

    source.on_report = kill
    return killed


def test_workers_share_the_work_and_stay_for_other_methods_and_later_runs(ray_executor, source_of, bundles):
    first = source_of(bundles(6, n_epochs=10, nap=0.02))
    ray_executor.run(first)
    second = source_of([b for pair in zip(bundles(3), bundles(3, method="scripted_too"), strict=True) for b in pair])
    ray_executor.run(second)
    assert len(_pids(first)) == 2
    assert os.getpid() not in _pids(first)
    assert _pids(second) <= _pids(first)


def test_workers_train_with_one_thread_and_keep_their_memory(ray_executor, source_of, bundles):
    source = source_of(bundles(2))
    ray_executor.run(source)
    for row in source.rows:
        assert row["diagnostic.torch_threads"] == row["diagnostic.omp_threads"] == 1
        assert row["diagnostic.malloc_threshold"] == 4e9


def test_workers_read_the_dataset_from_the_one_copy_of_the_machine(ray_executor, source_of, bundles):
    source = source_of(bundles(4))
    ray_executor.run(source)
    assert all(row["diagnostic.shared_inputs"] for row in source.rows)


@pytest.mark.sample
@pytest.mark.slow
def test_a_killed_worker_loses_its_bundle_once_and_the_others_go_on(ray_executor, source_of, bundles):
    source = source_of(bundles(6, n_epochs=8, nap=0.05))
    killed = _kill_once(source, when=lambda bundle: bundle.specs[0].seed == 2)
    ray_executor.run(source)
    (bundle, pid), lost = killed[0], [(b, e) for b, e in source.events if e[0] == "lost"]
    assert [b for b, _ in lost] == [bundle]
    assert lost[0][1][1] == FailureKind.INFRASTRUCTURE
    assert "died" in lost[0][1][2]
    assert len(source.how("finished")) == 5
    assert not psutil.pid_exists(pid)


@pytest.mark.sample
@pytest.mark.slow
def test_the_last_words_of_a_worker_that_died_are_told(ray_executor, source_of, bundles):
    source = source_of(bundles(1, method="complaining", n_epochs=1, ends="dies"))
    ray_executor.run(source)
    (log,) = source.logs
    assert "printed by " in log
    assert "warned by " in log


@pytest.mark.sample
@pytest.mark.slow
def test_a_lost_bundle_may_be_handed_out_again(ray_executor, source_of, bundles):
    (bundle,) = bundles(1, n_epochs=20, nap=0.03)
    source = source_of([bundle])
    _kill_once(source, when=lambda _: True)
    lost = source.lost

    def again(bundle, kind, error, log=""):
        lost(bundle, kind, error, log)
        source.rounds.append(deque([bundle]))

    source.lost = again
    ray_executor.run(source)
    assert [event if isinstance(event, str) else event[0] for _, event in source.events] == ["lost", "finished"]


@pytest.mark.sample
@pytest.mark.slow
def test_an_idle_worker_that_dies_is_nobodys_loss(ray_executor, source_of, bundles):
    before, after = source_of(bundles(2, n_epochs=5, nap=0.05)), source_of(bundles(4, n_epochs=5, nap=0.05))
    ray_executor.run(before)
    for pid in _pids(before):
        os.kill(pid, signal.SIGKILL)
    ray_executor.run(after)
    assert not [event for _, event in after.events if event != "finished"]
    assert len(after.how("finished")) == 4
    assert not _pids(after) & _pids(before)


@pytest.mark.slow
def test_a_bundle_without_news_is_lost_as_a_timeout(ray_executor, source_of, bundles, monkeypatch):
    hanging, sound = bundles(1, nap=90.0)[0], bundles(2)
    source = source_of([hanging, *sound])
    ray_executor.run(source_of(bundles(2)))  # the workers are warm: nothing else takes so long
    monkeypatch.setattr(ray_executor._bridge, "stall_seconds", 20.0)
    ray_executor.run(source)
    assert [(b, e[1]) for b, e in source.events if e[0] == "lost"] == [(hanging, FailureKind.TIMEOUT)]
    assert len(source.how("finished")) == 2


def test_max_concurrent_bounds_the_bundles_under_way(source_of, bundles, ray_executor):
    source, most = source_of(bundles(6, n_epochs=4, nap=0.02)), []
    source.on_report = lambda bundle, report: most.append(len(source.open))
    ray_executor.run(source)
    assert max(most) == 2


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:9"])
def test_an_address_where_nobody_listens_is_told_at_once(address):
    began = time.monotonic()
    with pytest.raises(RequestError, match=f"no Ray cluster answers at '{address}'"):
        RayTuneExecutor(address).start()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("address", ["", "somewhere", "host:", ":6379", "host:port", "host:99999999", "ray://x:1"])
def test_an_address_of_another_form_is_refused_with_what_is_allowed(address):
    with pytest.raises(RequestError, match="allowed are local, auto and HOST:PORT"):
        RayTuneExecutor(address).start()


def test_max_concurrent_must_be_a_number_from_1():
    with pytest.raises(RequestError, match="--max-concurrent 0"):
        RayTuneExecutor(max_concurrent=0)


def test_nothing_to_train_means_that_ray_is_not_even_imported():
    code = (
        "import sys; from orchestrator.executors.ray_tune import RayTuneExecutor\n"
        "class Nothing:\n    finished = True\n"
        "executor = RayTuneExecutor(); executor.run(Nothing()); executor.close()\n"
        "assert not {'ray', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
