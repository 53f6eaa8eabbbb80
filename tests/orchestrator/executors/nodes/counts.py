"""One finite study of real methods on a number of workers, whatever the cores: python counts.py RESULTS WORKERS."""

import sys
from pathlib import Path

from orchestrator.designs.one_factor import one_factor
from orchestrator.executors.ray_tune import RayTuneExecutor
from orchestrator.ledger import Ledger
from orchestrator.plan.catalogue import Catalogue
from orchestrator.plan.plan import plan_of
from orchestrator.run.runner import Runner, RunOptions
from orchestrator.study import Study


def main(results, workers):
    study = Study(
        name="counts",
        question="does the number of workers move a bit?",
        design=one_factor("entropy", {"loss": ["forward"], "fairness_weight": [10.0]}),
        rivals=(one_factor("hard_regularization", {"lr": [0.003]}, base={"network": "cnn"}), one_factor("kmeans", {})),
        datasets=("digits",),
        n_epochs=2,
        seeds=8,
        exploratory=True,
    )
    executor = RayTuneExecutor(max_concurrent=workers, cpus=0.2)
    with Ledger(Path(results), writable=True) as ledger:
        runner = Runner(plan_of(study, Catalogue()), ledger, RunOptions())
        try:
            executor.run(runner)
        finally:
            executor.close()
        assert runner.finished and not runner.stop_reason
        print(runner.worker_seconds.most)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
