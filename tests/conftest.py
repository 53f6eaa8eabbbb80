"""What tests of several folders share: one Ray for the whole session, and a source of bundles that keeps a record."""

import contextlib
import os
from collections import deque
from pathlib import Path

import pytest

from orchestrator.trial import Bundle, BundleTask, TrialSpec

PLUGIN = str(Path(__file__).parent / "orchestrator" / "executors" / "plugin")


class ScriptedSource:
    """Hands out bundles round by round (a round begins when the one before is closed) and remembers what it hears."""

    def __init__(self, *rounds, **task):
        self.rounds, self.task = deque(deque(bundles) for bundles in rounds), {"plugins": (PLUGIN,), **task}
        self.open, self.reports, self.events = {}, [], []
        self.stopping = False
        self.decisions = {}
        self.on_report = lambda bundle, report: None

    def next_task(self):
        if not self.rounds or self.stopping:
            return None
        if not self.rounds[0] and not self.open:
            self.rounds.popleft()
        if not self.rounds or not self.rounds[0]:
            return None
        bundle = self.rounds[0].popleft()
        assert bundle.bundle_id not in self.open
        self.open[bundle.bundle_id] = bundle
        return BundleTask(bundle=bundle, **self.task)

    @property
    def finished(self):
        return self.stopping or (not self.open and not any(self.rounds))

    def report(self, bundle, report):
        assert bundle.bundle_id in self.open, "a report of a bundle that is closed"
        self.reports.append((bundle, report))
        if report.finished:
            self._close(bundle, "finished")
        self.on_report(bundle, report)

    def decide(self, bundle):
        return self.decisions.get(len([b for b, _ in self.reports if b == bundle]), ())

    def lost(self, bundle, kind, error):
        self._close(bundle, ("lost", kind, error))

    def interrupted(self, bundle):
        self._close(bundle, "interrupted")

    def _close(self, bundle, event):
        del self.open[bundle.bundle_id]
        self.events.append((bundle, event))

    def how(self, event):
        return [bundle for bundle, said in self.events if said == event]

    @property
    def outcomes(self):
        return [outcome for _, report in self.reports for outcome in report.outcomes]

    @property
    def rows(self):
        """All rows as dictionaries, without what differs from one undisturbed run to the next."""
        import pyarrow as pa

        found = []
        for _, report in self.reports:
            if report.rows:
                found += pa.ipc.open_stream(report.rows).read_all().to_pylist()
        return found


def scripted_bundles(count, size=1, n_epochs=3, method="scripted", prunable=False, dataset="tiny", **config):
    """Return bundles of the scripted method; seeds number the trials."""
    return [
        Bundle(
            tuple(
                TrialSpec(
                    method=method,
                    method_version=1,
                    config={"nap": 0.0, "scale": 1.0, **config},
                    dataset=dataset,
                    dataset_digest="",
                    seed=index * size + member,
                    n_epochs=n_epochs,
                )
                for member in range(size)
            ),
            prunable=prunable,
        )
        for index in range(count)
    ]


@pytest.fixture
def source_of():
    """The class of the recording source; its arguments are rounds of bundles."""
    return ScriptedSource


@pytest.fixture
def bundles():
    """A function that makes bundles of the scripted method."""
    return scripted_bundles


@pytest.fixture(scope="session")
def ray_executor(tmp_path_factory):
    """The session's one Ray, with two workers; started in a folder whose packages must never be imported."""
    from orchestrator.executors.ray_tune import RayTuneExecutor

    poisoned = tmp_path_factory.mktemp("poisoned")
    for package in ("orchestrator", "trainables", "studies", "analysis", "torch", "ray"):
        (poisoned / package).mkdir()
        (poisoned / package / "__init__.py").write_text("raise RuntimeError('imported from the current directory')")
    executor = RayTuneExecutor(max_concurrent=2)
    with contextlib.chdir(poisoned):
        executor.start()
        executor.wait()
    yield executor
    executor.close()
    assert not [name for name in os.listdir("/tmp") if name.startswith(f"orchestrate-ray-{os.getpid()}-")]
