"""A study on a cluster of hosts, in a process of its own; tells what happens as JSON lines.

python driver.py ADDRESS RESULTS EVENTS SEEDS EPOCHS NAP_MS         ADDRESS `inline`: quietly, in this process
"""

import json
import os
import sys
import time
from pathlib import Path

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

PLUGIN = (str(Path(__file__).with_name("plugin")),)


def study(seeds, epochs, nap_ms):
    """Two arms that do not fuse: `seeds` bundles each of one or more members."""
    return Study(
        name="hosts",
        question="does what happens to hosts and networks move a bit?",
        design=one_factor("steady", {"level": [0.9]}, base={"nap_ms": nap_ms}),
        datasets=("gaussians",),
        n_epochs=epochs,
        seeds=seeds,
        exploratory=True,
    )


class Told:
    """A source that hands everything on to another, and writes down what is said."""

    def __init__(self, runner, path):
        self._runner, self._file = runner, open(path, "a")  # noqa: SIM115
        self.tell(event="began", pid=os.getpid())

    def __getattr__(self, name):
        return getattr(self._runner, name)

    def tell(self, **what):
        self._file.write(json.dumps({"at": time.time(), **what}) + "\n")
        self._file.flush()

    def next_task(self):
        task = self._runner.next_task()
        if task is not None:
            self.tell(event="out", bundle=task.bundle.bundle_id)
        return task

    def report(self, bundle, report):
        self._runner.report(bundle, report)
        what = {"bundle": bundle.bundle_id, "restarted": report.restarted, "note": report.note}
        self.tell(event="done" if report.finished else "report", host=_host_of(report), **what)

    def lost(self, bundle, kind, error, log=""):
        self._runner.lost(bundle, kind, error, log)
        self.tell(event="lost", bundle=bundle.bundle_id, kind=str(kind), error=" ".join(error.split())[:300])

    def interrupted(self, bundle):
        self._runner.interrupted(bundle)
        self.tell(event="interrupted", bundle=bundle.bundle_id)


def _host_of(report):
    """Return the number of the host that trained the last row of a report; 0: it has none."""
    import pyarrow as pa

    return int(pa.ipc.open_stream(report.rows).read_all()["diagnostic.host"][-1].as_py()) if report.rows else 0


def main(address, results, events, *numbers):
    executor = InlineExecutor() if address == "inline" else RayTuneExecutor(address)
    with Ledger(Path(results), writable=True) as ledger:
        options = RunOptions(plugins=PLUGIN, checkpoint_seconds=2.0)
        runner = Runner(plan_of(study(*map(int, numbers)), Catalogue(PLUGIN)), ledger, options)
        source = Told(runner, events)
        try:
            executor.run(source)
            runner.write_record()
        finally:
            executor.close()
        source.tell(event="ended", finished=runner.finished, reason=runner.stop_reason)


if __name__ == "__main__":
    main(*sys.argv[1:])
