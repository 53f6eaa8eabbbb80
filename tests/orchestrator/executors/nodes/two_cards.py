"""A command that takes two cards a trial, and whose files no worker sees, on logical GPUs: python two_cards.py HOME

A method of one card a trial goes with it, so that idle workers hold cards that the command needs. The folder of the
script is moved away as soon as its files have travelled.
"""

import contextlib
import os
import sys
from pathlib import Path

os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64, RAY_USAGE_STATS_ENABLED="0")

from ray.cluster_utils import Cluster

from orchestrator.designs.fixed import fixed
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.executors.ray_tune.packing import Packing
from orchestrator.ledger import Ledger
from orchestrator.own.command import command
from orchestrator.own.declared import loading
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study

PLUGIN = (str(Path(__file__).with_name("plugin")),)
NODE = {"num_cpus": 4, "num_gpus": 2, "object_store_memory": 80 * 2**20, "include_dashboard": False}
SCRIPT = """
import argparse, json, os, time
from beside import NAP
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int), parser.add_argument("--cards", type=int)
asked, began = parser.parse_args(), time.time()
time.sleep(NAP)
seen = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
here = {"diagnostic.began": began, "diagnostic.ended": time.time()}
print(json.dumps({"nmi": 0.5, "seen": len(set(seen)), "told": asked.cards, **here}))
"""


def main(home):
    mine = Path(home, "mine")
    mine.mkdir()
    (mine / "train.py").write_text(SCRIPT)
    (mine / "beside.py").write_text("NAP = 0.3\n")
    with loading(mine / "study.py"):
        both = command("python train.py --cards {gpus}", knobs={}, name="both", gpus=2, tolerance=1.0)

    content = Packing.content

    def moving_away(packing, task, folder):
        found = content(packing, task, folder)
        if found.own is not None and mine.exists():
            mine.rename(mine.with_name("gone"))
        return found

    Packing.content = moving_away
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    executor = RayTuneExecutor(cluster.address, gpus=1)
    study = Study(
        name="cards",
        question="does a trial get as many cards as it says?",
        design=fixed(both),
        rivals=(fixed("carded"),),
        datasets=("gaussians",),
        n_epochs=1,
        seeds=4,
        exploratory=True,
    )
    try:
        with Ledger(Path(home, "results"), writable=True) as ledger:
            runner = Runner(plan_of(study, Catalogue(PLUGIN)), ledger, RunOptions(plugins=PLUGIN, device="cuda"))
            executor.run(runner)
            assert runner.finished and not runner.stop_reason
        assert not mine.exists()
    finally:
        executor.close()
        with contextlib.suppress(Exception):
            cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
