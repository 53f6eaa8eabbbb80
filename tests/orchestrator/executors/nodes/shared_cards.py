"""Bundles that may share a card, on two raylets with two logical GPUs each: python shared_cards.py RESULTS

First as many bundles at a time as there are cards, then twice as many.
"""

import contextlib
import os
import sys
from pathlib import Path

os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64, RAY_USAGE_STATS_ENABLED="0")

from ray.cluster_utils import Cluster

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

PLUGIN = (str(Path(__file__).with_name("plugin")),)
NODE = {"num_cpus": 4, "num_gpus": 2, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def main(results):
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    cluster.add_node(**NODE)
    executor = RayTuneExecutor(cluster.address, max_concurrent=4, gpus=1, bundles_per_gpu=2)
    try:
        for name, at_once, nap in (("spread", 4, 0.3), ("full", None, 0.5)):
            executor.max_concurrent = at_once
            study = Study(
                name=name,
                question="does every card work before one gets a second bundle?",
                design=one_factor("carded", {"level": [0.9]}, base={"nap": nap}),
                datasets=("gaussians",),
                n_epochs=2,
                seeds=12,
                exploratory=True,
            )
            with Ledger(Path(results, name), writable=True) as ledger:
                runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, RunOptions(plugins=PLUGIN, device="cuda"))
                runner._limits.share = lambda bundle: 0.5  # as a probe that found room for two would have it
                executor.run(runner)
                assert runner.finished and not runner.stop_reason
    finally:
        executor.close()
        with contextlib.suppress(Exception):
            cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
