"""A study on four raylets with two logical GPUs each, of which one is killed and another one comes; in its own process.

python driver.py RESULTS SEEDS          prints what happened as JSON
"""

import contextlib
import json
import os
import sys
import time
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
NODE = {"num_cpus": 2, "num_gpus": 2, "object_store_memory": 80 * 2**20, "include_dashboard": False}


class Events:
    """Kills a node once all eight cards are at work, and adds one a little later."""

    def __init__(self, cluster, nodes):
        self.cluster, self.nodes, self.said = cluster, nodes, {}

    def __call__(self, runner, cards):
        if "killed" not in self.said and len(cards) == 8:
            self.said |= {"killed": time.time(), "complete_then": runner.progress.complete}
            self.cluster.remove_node(self.nodes[-1], allow_graceful=False)
        elif "killed" in self.said and "late" not in self.said and time.time() > self.said["killed"] + 3:
            node = self.cluster.add_node(**NODE)
            self.said |= {"late": int(node.node_id[:8], 16)}


def main(results, seeds):
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "num_gpus": 2})
    nodes = [cluster.add_node(**NODE) for _ in range(3)]
    events, cards, runners = Events(cluster, nodes), set(), []
    study = Study(
        name="nodes",
        question="does every card work?",
        design=one_factor("carded", {"level": [0.1, 0.9]}),
        datasets=("gaussians",),
        n_epochs=3,
        seeds=seeds,
        exploratory=True,
    )
    executor = RayTuneExecutor(cluster.address, gpus=1)
    with Ledger(Path(results), writable=True) as ledger:
        options = RunOptions(plugins=PLUGIN, device="cuda", checkpoint_seconds=0.1)
        runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, options)
        report = runner.report

        def watched(bundle, said):
            report(bundle, said)
            if said.rows:
                import pyarrow as pa

                for row in pa.ipc.open_stream(said.rows).read_all().to_pylist():
                    cards.add((row["diagnostic.node"], row["diagnostic.card"]))
            events(runner, cards)

        runner.report = watched
        runners.append(runner)
        try:
            executor.run(runner)
            runner.write_record()
        finally:
            executor.close()
            with contextlib.suppress(Exception):
                cluster.shutdown()
    print(json.dumps({**events.said, "finished": runner.finished, "stop_reason": runner.stop_reason}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
