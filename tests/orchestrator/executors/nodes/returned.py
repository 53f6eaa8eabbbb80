"""A study with one long trial on a cluster that others use: python returned.py RESULTS

Prints as JSON when the last short trial ended, and how many CPUs were free from when on, while the long one trained.
"""

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path

os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64, RAY_USAGE_STATS_ENABLED="0")

import ray
from ray.cluster_utils import Cluster

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

PLUGIN = (str(Path(__file__).with_name("plugin")),)
NODE = {"num_cpus": 5, "object_store_memory": 80 * 2**20, "include_dashboard": False}
LONG = 40.0


def main(results):
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    executor, free, ends, over = RayTuneExecutor(cluster.address), [], [], threading.Event()

    def watch():
        while not over.wait(0.5):
            free.append((time.time(), ray.available_resources().get("CPU", 0.0)))

    study = Study(
        name="returned",
        question="are idle workers returned?",
        design=one_factor("carded", {"nap": [LONG / 2, 0.4]}, base={"nap": 0.5}),
        datasets=("gaussians",),
        n_epochs=2,
        seeds=2,
        exploratory=True,
    )
    with Ledger(Path(results), writable=True) as ledger:
        runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, RunOptions(plugins=PLUGIN))
        report = runner.report

        def watched(bundle, said):
            report(bundle, said)
            ends.extend((time.time(), bundle.specs[0].config["nap"]) for _ in said.outcomes)

        runner.report = watched
        executor.wait()
        threading.Thread(target=watch, daemon=True).start()
        try:
            executor.run(runner)
        finally:
            over.set()
            executor.close()
            with contextlib.suppress(Exception):
                cluster.shutdown()
    shorts = max(at for at, nap in ends if nap < 1)
    longs = min(at for at, nap in ends if nap > 1)
    during = [cpus for at, cpus in free if shorts + 20 < at < longs]
    print(json.dumps({"free": during, "patience": longs - shorts, "complete": runner.progress.complete}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
